import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What happens to one request on its way. */
export type Fault =
  | 'none'
  /** It takes effect, and nobody hears. */
  | 'lost reply'
  /** The connection stays open, and nothing comes. */
  | 'no reply'
  | 'cut body'
  | 'stalled body'
  | 'changed body'
  /** Of the headers those that match are lost, as with a store that does not know them. */
  | { readonly without: RegExp }
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

/** What a store answers that refuses; its message may quote anything. */
export function refusal(status: number, code: string): Fault {
  return { status, body: `<Error><Code>${code}</Code><Message>refused: SECRET</Message></Error>` };
}

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** How many like it, of this method, came before. */
  readonly before: number;
  readonly body: string;
}

/** Stands between a client and a store, and does to each request what the test says. */
export class FaultyStore {
  readonly seen: string[] = [];
  fault: (asked: Asked) => Fault = () => 'none';
  readonly #upstream: URL;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => request.socket.destroy());
  });

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
  }

  static async before(upstream: string): Promise<FaultyStore> {
    const store = new FaultyStore(upstream);
    store.#server.listen(0, '127.0.0.1');
    await once(store.#server, 'listening');
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** Forgets what was seen, and breaks nothing any more. */
  calm(): void {
    this.seen.length = 0;
    this.fault = () => 'none';
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const sent = await buffer(request);
    const before = this.seen.filter((seen) => seen === method).length;
    const fault = this.fault({ method, url, before, body: sent.toString() });
    this.seen.push(method);
    if (fault === 'no reply') return;
    if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
      response.end(method === 'HEAD' ? undefined : fault.body);
      return;
    }
    const lost = typeof fault === 'object' ? fault.without : /^$/;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !lost.test(name)));
    const forwarded = ask(new URL(url, this.#upstream), { method, headers, agent: false });
    forwarded.end(sent);
    const [reply] = (await once(forwarded, 'response')) as [IncomingMessage];
    const body = await buffer(reply);
    if (fault === 'lost reply') {
      request.socket.destroy();
      return;
    }
    const { connection: _, 'transfer-encoding': __, ...kept } = reply.headers;
    response.writeHead(reply.statusCode ?? 500, kept);
    if (fault === 'cut body' || fault === 'stalled body') {
      response.write(body.subarray(0, body.length / 2), () => fault === 'cut body' && request.socket.destroy());
      return;
    }
    if (fault === 'changed body') body[0] = ~body[0]!;
    response.end(body);
  }
}
