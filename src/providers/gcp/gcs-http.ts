import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

import { NoAnswer, noAnswer } from './no-answer.js';

/** So that no call waits for ever. */
export interface Patience {
  /** A request is given up after so long without an answer's head, the upload included. */
  readonly longestMs: number;
  /** A socket on which nothing moved for so long is half-open. */
  readonly silenceMs: number;
}

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent one behind the other, as they are. */
  readonly body?: readonly Uint8Array[];
}

/** The service answered with an error. Of what it says, its reason alone is kept: it quotes what it was given. */
export class ErrorAnswer extends Error {
  readonly code: number;
  readonly errors: readonly { readonly reason?: unknown }[];
  /** A request before it went unheard, and may have taken effect. */
  unheard = false;

  constructor(status: number, reason: unknown) {
    super();
    this.code = status;
    this.errors = [{ reason }];
  }
}

const sockets = 256;
/** More than any error of the service; who answers more is not the service. */
const longestError = 65_536;

/**
 * Sends requests by Node's own HTTP. Google's client sends with an agent that the whole process shares, and destroys it, with
 * every call that is under way, when a reader leaves early; and it has no limit for a body that stops coming.
 */
export class Http {
  readonly #patience: Patience;
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: sockets });
  readonly #secure = new HttpsAgent({ keepAlive: true, maxSockets: sockets });

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** An answer of 2xx, whose body the caller reads or destroys; it fails by itself when nothing moved for long. */
  async send(request: Request): Promise<IncomingMessage> {
    const answer = await this.#answer(request);
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status < 300) return answer;
    const reason = Number(answer.headers['content-length'] ?? 0) > longestError ? undefined : await reasonIn(answer);
    answer.destroy();
    throw new ErrorAnswer(status, reason);
  }

  #answer({ method, url, headers, body = [] }: Request): Promise<IncomingMessage> {
    const { longestMs, silenceMs } = this.#patience;
    const isPlain = url.startsWith('http:');
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const options = {
      method,
      headers: { ...headers, ...((method === 'POST' || method === 'PATCH') && { 'content-length': length }) },
      agent: isPlain ? this.#plain : this.#secure,
      timeout: silenceMs,
    };
    return new Promise((resolve, reject) => {
      const outgoing = isPlain ? requestHttp(url, options) : requestHttps(url, options);
      let answer: IncomingMessage | undefined;
      const giveUp = (): void => {
        const error = new NoAnswer('ETIMEDOUT');
        answer?.destroy(error);
        outgoing.destroy(error);
      };
      const longest = setTimeout(giveUp, longestMs);
      outgoing.on('timeout', giveUp);
      outgoing.on('response', (incoming) => {
        clearTimeout(longest);
        answer = incoming;
        // Nobody may be reading yet. Node 20 throws no error that nobody listens for, and promises nothing of the kind.
        incoming.on('error', () => undefined);
        incoming.on('end', () => {
          // Who answers before all was sent has no use for the rest, and may never read it.
          if (!outgoing.writableFinished) outgoing.destroy();
        });
        resolve(incoming);
      });
      outgoing.on('error', (error) => {
        clearTimeout(longest);
        reject(noAnswer(error));
      });
      for (const part of body) outgoing.write(part);
      outgoing.end();
    });
  }
}

async function reasonIn(answer: IncomingMessage): Promise<unknown> {
  try {
    const { error } = JSON.parse(await text(answer)) as { error?: { errors?: readonly { reason?: unknown }[] } };
    return error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}
