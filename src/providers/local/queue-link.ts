import type { Worker } from 'node:worker_threads';

import { CatchmentError, describeError, Unavailable } from '../../errors.js';
import { startThread } from '../../thread.js';
import type { Answers, Reply, Request, Requests } from './queue-protocol.js';

interface Pending {
  readonly resolve: (answer: Answers[keyof Answers]) => void;
  readonly reject: (error: CatchmentError) => void;
}

/** The way to a queue's thread, which is started by the first call, and again by the next call if it should die. */
export class QueueLink {
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | undefined;
  #calls = 0;
  #closed: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws `Unavailable` when the store fails, `CatchmentError` after `close`. */
  ask<Do extends keyof Answers>(what: Do, of: Requests[Do], transfer: ArrayBuffer[] = []): Call<Answers[Do]> {
    const call = ++this.#calls;
    if (this.#closed !== undefined) return { call, answer: Promise.reject(this.#isClosed()) };
    return { call, answer: this.#post(call, what, of, transfer) as Promise<Answers[Do]> };
  }

  /** Ends the waiting of a `receive`; it resolves with what it has been given, if anything. */
  abort(receive: number): void {
    if (this.#pending.has(receive)) this.#send({ call: ++this.#calls, do: 'abort', of: { receive } });
  }

  /** Resolves when all that was asked is answered and the thread is gone. */
  close(): Promise<void> {
    this.#closed ??= this.#thread === undefined ? Promise.resolve() : this.#end(this.#thread);
    return this.#closed;
  }

  async #end(thread: Worker): Promise<void> {
    const gone = new Promise((resolve) => thread.once('exit', resolve));
    // A thread that dies before it answers is closed as well.
    await this.#post(++this.#calls, 'close', {}, []).catch(() => undefined);
    thread.ref();
    await gone;
  }

  #post(call: number, what: keyof Requests, of: object, transfer: ArrayBuffer[]): Promise<Answers[keyof Answers]> {
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      this.#send({ call, do: what, of } as Request, transfer);
    });
  }

  #send(request: Request, transfer: ArrayBuffer[] = []): void {
    this.#thread ??= this.#start();
    // A queue that nothing is asked of keeps no process alive.
    this.#thread.ref();
    this.#thread.postMessage(request, transfer);
  }

  #start(): Worker {
    const thread = startThread(new URL('./queue-thread.js', import.meta.url), { workerData: { path: this.#path } });
    thread.on('message', (reply: Reply) => this.#settle(reply));
    let cause = '';
    thread.on('error', (error) => (cause = `: ${describeError(error)}`));
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
      const failure = `The thread of the queue in ${this.#path} ended${cause}; the next call starts another.`;
      for (const call of [...this.#pending.keys()]) this.#settle({ call, failure });
    });
    return thread;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.call);
    this.#pending.delete(reply.call);
    if (this.#pending.size === 0) this.#thread?.unref();
    if ('failure' in reply) pending?.reject(new Unavailable(reply.failure, { path: this.#path }));
    else pending?.resolve(reply.answer);
  }

  #isClosed(): CatchmentError {
    return new CatchmentError(`The queue in ${this.#path} was closed by this process; open it again.`, {
      path: this.#path,
    });
  }
}

export interface Call<Answer> {
  readonly call: number;
  readonly answer: Promise<Answer>;
}
