import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';

import type { SQSClient } from '@aws-sdk/client-sqs';

type Config = SQSClient['config'];
type Signer = Awaited<ReturnType<Config['signer']>>;
type Request = Parameters<Signer['sign']>[0];

/** The SDK's request handler, of which its own types say nothing. */
interface Handler {
  handle(request: Request): Promise<{ response: { statusCode: number; body: Readable } }>;
}

/**
 * One plain try of a call: JSON, signed and sent by the SDK's own signer and connections. The layers that the SDK puts
 * around each call take four times the CPU of all this. Whatever is not an answer of HTTP 200 is undefined, and the call is
 * then the SDK's to make, with its retries, its errors and its correction of the clock.
 */
export class ThinCalls {
  readonly #config: Config;
  readonly #url: URL;
  #signer: Promise<Signer> | undefined;

  constructor({ config }: SQSClient, endpoint: string) {
    this.#config = config;
    this.#url = new URL(endpoint);
  }

  async try<Output>(operation: string, input: object): Promise<Output | undefined> {
    try {
      const signer = await (this.#signer ??= this.#makeSigner());
      const signingDate = new Date(Date.now() + this.#config.systemClockOffset);
      const signed = await signer.sign(this.#request(operation, JSON.stringify(input)), { signingDate });
      const { response } = await (this.#config.requestHandler as Handler).handle(signed);
      const body = await text(response.body);
      return response.statusCode === 200 ? (JSON.parse(body) as Output) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Made once: it asks for the credentials anew each time it signs, and the SDK keeps and renews those. */
  async #makeSigner(): Promise<Signer> {
    try {
      const signingRegion = await this.#config.region();
      return await this.#config.signer({ name: 'sigv4', signingName: 'sqs', signingRegion, properties: {} });
    } catch (error) {
      this.#signer = undefined;
      throw error;
    }
  }

  #request(operation: string, body: string): Request {
    const { protocol, hostname, port, host } = this.#url;
    return {
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      method: 'POST',
      path: '/',
      query: {},
      headers: {
        host,
        'content-type': 'application/x-amz-json-1.0',
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': `AmazonSQS.${operation}`,
      },
      body,
    };
  }
}
