import { Pace } from '../../src/providers/gcp/gcs-pace.js';
import { until } from '../until.js';

const slowDown = new Error('429');
const isSlowDown = (error: unknown): boolean => error === slowDown;

/** Calls under way, each of which ends as it is told to. */
class Calls {
  readonly pace = new Pace();
  readonly open: { end: () => void; fail: (error: Error) => void }[] = [];

  begin(count: number): void {
    for (let n = 0; n < count; n++) {
      const call = (): Promise<void> => new Promise((end, fail) => void this.open.push({ end, fail }));
      this.pace.run(call, isSlowDown).catch(() => undefined);
    }
  }

  /** Waits until so many are under way, and none would come after them. */
  async under(count: number): Promise<void> {
    await until(`${count} calls`, () => this.open.length === count);
    await new Promise(setImmediate);
    expect(this.open).toHaveLength(count);
  }

  /** Ends all that are under way. */
  async end(error?: Error): Promise<void> {
    for (const { end, fail } of this.open.splice(0)) {
      if (error === undefined) end();
      else fail(error);
    }
    await new Promise(setImmediate);
  }
}

test('lets 64 calls be under way at once, and the others wait', async () => {
  const calls = new Calls();
  calls.begin(100);
  await calls.under(64);
  await calls.end();
  await calls.under(36);
});

test('halves once for all calls that were under way together, down to one', async () => {
  const calls = new Calls();
  for (const atOnce of [64, 32, 16, 8, 4, 2, 1, 1]) {
    calls.begin(atOnce);
    await calls.under(atOnce);
    await calls.end(slowDown);
  }
  expect(calls.pace.atOnce).toBe(1);
});

test('minds no other failure', async () => {
  const calls = new Calls();
  calls.begin(64);
  await calls.under(64);
  await calls.end(new Error('404'));
  expect(calls.pace.atOnce).toBe(64);
});

test('grows by one for each round that went well, and not beyond where it began', async () => {
  const calls = new Calls();
  calls.begin(1);
  await calls.under(1);
  await calls.end(slowDown);
  for (let atOnce = 32; atOnce <= 63; atOnce++) {
    expect(calls.pace.atOnce).toBe(atOnce);
    calls.begin(atOnce);
    await calls.under(atOnce);
    await calls.end();
  }
  calls.begin(200);
  await calls.under(64);
});
