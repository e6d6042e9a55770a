import { performance } from 'node:perf_hooks';
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';

import { describeError } from '../errors.js';
import { startThread } from '../thread.js';
import { Progress, type Answer, type Job, type Loaded, type Position, type ThreadData } from './messages.js';

export interface IsolateOptions {
  /** Longest time in user code for one event and table, in milliseconds. */
  readonly deadlineMs: number;
  /** Longest time for importing the tables, in milliseconds. */
  readonly loadMs: number;
  /** Most that the process may grow by for one object, in megabytes: heap, Buffers and all. */
  readonly memoryMb: number;
}

/** The thread is no more: `at` is where the user's code was. */
export class Died {
  readonly how: 'deadline' | 'memory' | 'exit';
  readonly at: Position;
  /** Where an error ended the thread. */
  readonly error: string | undefined;

  constructor(how: Died['how'], at: Position, error?: string) {
    this.how = how;
    this.at = at;
    this.error = error;
  }
}

/** One thread with the user's tables, which may die of what it is given; it takes one job at a time. */
export class Isolate {
  /** What became of importing the tables. */
  readonly loaded: Promise<Loaded | Died>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #progress = new Progress();
  readonly #options: IsolateOptions;
  #died: Died | undefined;
  #waiting: ((message: Loaded | Answer | Died) => void) | undefined;

  constructor(where: { config: string; dir: string }, options: IsolateOptions) {
    this.#options = options;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { memoryMb } = options;
    const workerData: ThreadData = { ...where, memoryMb, progress: this.#progress.buffer, port: port2 };
    this.#worker = startThread(new URL('./thread.js', import.meta.url), {
      workerData,
      transferList: [port2],
      // Far off: where the heap ends within a call of the engine's own, as in JSON.parse, V8 ends the whole process.
      resourceLimits: { maxOldGenerationSizeMb: 4 * memoryMb },
      // What user code makes Node print may hold events, and none may reach a log.
      stdout: true,
      stderr: true,
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#port.on('message', (message: Loaded | Answer) => this.#settle(message));
    this.#worker.on('error', (error: NodeJS.ErrnoException) =>
      this.#die(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'exit', describeError(error)),
    );
    this.#worker.on('exit', () => this.#die('exit'));
    this.loaded = this.#next(options.loadMs, () => true) as Promise<Loaded | Died>;
  }

  get dead(): boolean {
    return this.#died !== undefined;
  }

  run(job: Job): Promise<Answer | Died> {
    if (this.#died !== undefined) return Promise.resolve(this.#died);
    const answer = this.#next(this.#options.deadlineMs, () => this.#progress.position.line > 0);
    // The object is copied, not transferred: a thread that dies takes with it what it was given.
    this.#port.postMessage(job);
    return answer as Promise<Answer | Died>;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The next message, or death: at the latest when nothing has moved for `limitMs` while `inUserCode`. */
  #next(limitMs: number, inUserCode: () => boolean): Promise<Loaded | Answer | Died> {
    return new Promise((resolve) => {
      const watch = this.#watch(limitMs, inUserCode);
      this.#waiting = (message) => {
        clearInterval(watch);
        this.#waiting = undefined;
        resolve(message);
      };
    });
  }

  /**
   * Time counts only as far as this process was there to see it pass: a tick that comes late, after the process was
   * paused or the machine asleep, counts as one tick. Memory is told of the whole process alone: should others have taken
   * it meanwhile, the event in hand lives when it runs alone.
   */
  #watch(limitMs: number, inUserCode: () => boolean): NodeJS.Timeout {
    const tickMs = Math.max(10, Math.min(50, limitMs / 20));
    let seen = this.#progress.count;
    let spentMs = 0;
    const mostBytes = process.memoryUsage.rss() + this.#options.memoryMb * 2 ** 20;
    let last = performance.now();
    return setInterval(() => {
      const now = performance.now();
      const passedMs = Math.min(now - last, 2 * tickMs);
      last = now;
      const count = this.#progress.count;
      spentMs = count === seen && inUserCode() ? spentMs + passedMs : 0;
      seen = count;
      if (spentMs >= limitMs) this.#kill('deadline');
      else if (process.memoryUsage.rss() > mostBytes) this.#kill('memory');
    }, tickMs);
  }

  #kill(how: Died['how']): void {
    this.#die(how);
    void this.#worker.terminate();
  }

  #die(how: Died['how'], error?: string): void {
    this.#died ??= new Died(how, this.#progress.position, error);
    this.#settle(this.#died);
  }

  #settle(message: Loaded | Answer | Died): void {
    this.#waiting?.(message);
  }
}
