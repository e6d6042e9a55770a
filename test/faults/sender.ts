import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { newId } from '../../src/ids.js';
import { warehouseRows } from '../integration/warehouse-rows.js';
import { until } from '../until.js';
import { bodyOf } from './events.js';
import type { Pipeline } from './pipeline.js';

const everyMs = 50;

/** Sends numbered events at a steady pace for as long as the pipeline is hurt; it may be killed itself, and comes back. */
class PacedSender {
  readonly #pipeline: Pipeline;
  readonly #eachTime: number;
  #child: ChildProcessWithoutNullStreams;
  #sent = 0;
  #stopping = false;
  #pace: Promise<void>;

  constructor(pipeline: Pipeline, eventsPerSecond: number) {
    this.#pipeline = pipeline;
    this.#eachTime = Math.round((eventsPerSecond * everyMs) / 1_000);
    this.#child = this.#start();
    this.#pace = this.#send();
  }

  /** The number of events handed over so far. */
  get sent(): number {
    return this.#sent;
  }

  /** SIGKILL; what it had not noted may be sent or not. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.#child = this.#start();
  }

  /** No more events; resolves when all that was handed over is durable. */
  async finish(): Promise<void> {
    await this.halt();
    const child = this.#child;
    const closed = once(child, 'close');
    child.stdin.end();
    const [status] = (await closed) as [number | null];
    if (status !== 0) throw new Error(`catchment send ended with ${status}`);
  }

  /** No more events. */
  async halt(): Promise<void> {
    this.#stopping = true;
    await this.#pace;
  }

  async #send(): Promise<void> {
    while (!this.#stopping) {
      const lines = Array.from({ length: this.#eachTime }, () => `${bodyOf({ id: newId(), number: this.#sent++ })}\n`);
      // Noted first: what is in the lake and not here would be spurious.
      appendFileSync(this.#pipeline.evidence.sentFile, lines.join(''));
      this.#child.stdin.write(lines.join(''));
      await sleep(everyMs);
    }
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = this.#pipeline.startSend();
    child.stdin.on('error', () => undefined); // it was killed
    child.stdout.resume();
    child.stderr.resume();
    return child;
  }
}

/** Waits until event `number`, or a later one of the same sender, can be queried. */
export async function arrives(pipeline: Pipeline, number: number): Promise<void> {
  const isIn = () =>
    warehouseRows(pipeline.dataDir, `FROM singles WHERE number BETWEEN ${number} AND ${number} + 99999 LIMIT 1`);
  await until(`event ${number}`, async () => (await isIn().catch(() => [])).length > 0, 90_000).catch(
    (error: unknown) => {
      throw new Error(`${(error as Error).message}\n${pipeline.output}`);
    },
  );
}

/** Sends while the pipeline is hurt, until that is over; then all that was sent is durable. Resolves with the number of events. */
export async function whileSending(
  pipeline: Pipeline,
  hurt: (sender: PacedSender) => Promise<void>,
  eventsPerSecond = 100,
): Promise<number> {
  const sender = new PacedSender(pipeline, eventsPerSecond);
  try {
    await hurt(sender);
    await sender.finish();
  } finally {
    await sender.halt();
  }
  return sender.sent;
}
