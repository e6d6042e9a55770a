import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Credentials } from './gcs-auth.js';
import { ErrorAnswer, Http, type Patience, type Request } from './gcs-http.js';
import type { Pace } from './gcs-pace.js';
import { NoAnswer, noAnswer } from './no-answer.js';

export interface Call {
  readonly method: Request['method'];
  /** Behind the endpoint, `/storage/v1/b/events/o`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Content type and parts. */
  readonly body?: readonly [string, ...Uint8Array[]];
}

/** The answer, and whether a request of the call before it went unheard: that one may have taken effect. */
export interface Heard<Answer> {
  readonly answer: Answer;
  readonly unheard: boolean;
}

const tries = 4;
const firstPauseMs = 250;
const passing = [408, 429, 500, 502, 503, 504];

export interface CallsOptions {
  readonly endpoint: string;
  /** None: nothing is asked for or sent. */
  readonly credentials: Pick<Credentials, 'headers' | 'forget'> | undefined;
  readonly pace: Pace;
  readonly patience: Patience;
}

/** Calls of the JSON API, each tried again while that may help. They throw `ErrorAnswer`, `NoAnswer`, or what the client's auth throws. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #http: Http;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#http = new Http(options.patience);
  }

  async json(call: Call): Promise<unknown> {
    return (await this.heard(call)).answer;
  }

  /** Where a request may have taken effect unheard, an `ErrorAnswer` says so too. */
  heard(call: Call): Promise<Heard<unknown>> {
    return this.#retried(call, async (answer) => {
      const body = await text(answer).catch((error: unknown) => {
        throw noAnswer(error);
      });
      try {
        return body === '' ? undefined : (JSON.parse(body) as unknown);
      } catch {
        throw new NoAnswer('NotJson');
      }
    });
  }

  /** An answer of which the caller reads the body, or destroys it. */
  async stream(call: Call): Promise<IncomingMessage> {
    return (await this.#retried(call, (answer) => Promise.resolve(answer))).answer;
  }

  async #retried<Answer>(call: Call, read: (answer: IncomingMessage) => Promise<Answer>): Promise<Heard<Answer>> {
    const { pace, patience } = this.#options;
    const begun = Date.now();
    let unheard = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return { answer: await pace.run(() => this.#once(call, read), asksForFewer), unheard };
      } catch (error) {
        if (error instanceof ErrorAnswer) error.unheard = unheard;
        if (!this.#mayPass(error, attempt) || attempt === tries || Date.now() - begun > patience.longestMs) throw error;
        // Who is told to come later has changed nothing; of all else nobody knows.
        unheard ||= !(error instanceof ErrorAnswer && [401, 429].includes(error.code));
      }
      await sleep(Math.random() * firstPauseMs * 2 ** attempt);
    }
  }

  async #once<Answer>(call: Call, read: (answer: IncomingMessage) => Promise<Answer>): Promise<Answer> {
    const { endpoint, credentials } = this.#options;
    const [type, ...body] = call.body ?? [];
    const answer = await this.#http.send({
      method: call.method,
      url: `${endpoint}${call.path}${queryOf(call.query)}`,
      headers: {
        ...(await credentials?.headers()),
        // What is stored compressed comes as it is stored; all else is never compressed.
        'accept-encoding': call.query?.['alt'] === 'media' ? 'gzip' : 'identity',
        'user-agent': 'catchment',
        ...(type !== undefined && { 'content-type': type }),
      },
      body,
    });
    return read(answer);
  }

  #mayPass(error: unknown, attempt: number): boolean {
    if (!(error instanceof ErrorAnswer)) return error instanceof NoAnswer;
    if (error.code !== 401 || this.#options.credentials === undefined) return passing.includes(error.code);
    // Tokens are kept for an hour, and may have been revoked.
    this.#options.credentials.forget();
    return attempt === 1;
  }
}

function asksForFewer(error: unknown): boolean {
  return error instanceof ErrorAnswer && (error.code === 429 || error.code === 503);
}

/** Not as forms are encoded: a space is %20, whoever reads it. */
function queryOf(query: Call['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value.toWellFormed())}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
