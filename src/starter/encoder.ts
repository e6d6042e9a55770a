import type { Worker } from 'node:worker_threads';

import { describeError, Unavailable } from '../errors.js';
import { startThread } from '../thread.js';
import type { BatchToEncode, EncodedBatch } from './encode.js';
import type { EncodeAnswer } from './encode-thread.js';

interface Waiting {
  readonly resolve: (encoded: EncodedBatch) => void;
  readonly reject: (error: Error) => void;
}

/** Encodes batches in a thread; one that dies is replaced. */
export class Encoder {
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #jobs = 0;
  #closed = false;

  /** The bytes of the messages go to the thread, and are the caller's no more. Throws `Unavailable`: they are lost then. */
  encode(batch: BatchToEncode): Promise<EncodedBatch> {
    if (this.#closed) return Promise.reject(new Unavailable('this poller is going down'));
    return new Promise((resolve, reject) => {
      const job = this.#jobs++;
      this.#waiting.set(job, { resolve, reject });
      try {
        this.#running().postMessage({ job, ...batch }, memoryOf(batch));
      } catch (error) {
        this.#waiting.delete(job);
        reject(new Unavailable(`a batch could not be handed to its thread: ${describeError(error)}`));
      }
    });
  }

  /** What is under way fails, and so does all that is asked for later. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.terminate();
  }

  #running(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const thread = startThread(new URL('./encode-thread.js', import.meta.url));
    thread.unref();
    thread.on('message', (answer: EncodeAnswer) => {
      const waiting = this.#waiting.get(answer.job);
      this.#waiting.delete(answer.job);
      if ('encoded' in answer) waiting?.resolve(answer.encoded);
      else waiting?.reject(new Unavailable(`a batch could not be encoded: ${answer.error}`));
    });
    thread.once('error', () => undefined);
    thread.once('exit', () => {
      this.#thread = undefined;
      for (const { reject } of this.#waiting.values()) reject(new Unavailable('the thread that encodes batches ended'));
      this.#waiting.clear();
    });
    this.#thread = thread;
    return thread;
  }
}

/** Below this a copy is cheaper. */
const leastHandedOver = 4_096;

/** What is handed over instead of copied: memory that a message has for itself. */
function memoryOf({ deliveries }: BatchToEncode): ArrayBuffer[] {
  const own = deliveries.flatMap(({ body: { buffer, byteLength } }) =>
    buffer instanceof ArrayBuffer && byteLength >= leastHandedOver && byteLength === buffer.byteLength ? buffer : [],
  );
  return [...new Set(own)];
}
