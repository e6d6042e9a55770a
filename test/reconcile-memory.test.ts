import { setFlagsFromString } from 'node:v8';
import { setImmediate as turn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';

import { z } from 'zod';

import type { Settings } from '../src/config/settings.js';
import { objectKey } from '../src/keys.js';
import type { LakeObject } from '../src/providers/lake.js';
import type { Warehouse } from '../src/providers/warehouse.js';
import { reconcile } from '../src/reconcile/reconcile.js';
import { defineTable } from '../src/tables.js';
import { MemoryQueue } from './fakes/queue.js';
import { MemoryLake } from './fakes/stores.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const objects = 100_000;
const now = Date.UTC(2026, 10, 25, 12);
const settings = {
  ...{ sources: { app: {} }, leaseMs: 30_000, patienceMs: 600_000, surviveMs: 259_200_000 },
} as unknown as Settings;

/** A day's listing that is made while it is read. */
class LongLake extends MemoryLake {
  /** Every hundredth. */
  readonly made: WeakRef<Date>[] = [];

  override async *list(): AsyncGenerator<LakeObject> {
    for (let n = 0; n < objects; n++) {
      const writtenAt = new Date(now - 86_400_000 + n * 800);
      const time = writtenAt.getTime().toString(16).padStart(12, '0');
      const batch = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
      if (n % 100 === 0) this.made.push(new WeakRef(await Promise.resolve(writtenAt)));
      yield { key: objectKey({ source: 'app', batch, events: 1, hash: 'a'.repeat(32) }), bytes: 1, writtenAt };
    }
  }
}

test('a lake of 100,000 objects is compared without keeping more of them than a few pages', async () => {
  const lake = new LongLake();
  const nothing = { rows: 0, removed: 0, rejected: 0, cleared: 0, rowsCounted: 0, rejectionsCounted: 0, rowsTwice: 0 };
  const warehouse = {
    owesFrom: () => Promise.resolve(new Date(0)),
    // Some are missing, so that gaps are made. What a WeakRef was made of lives until the turn of the event loop ends.
    missing: async (_: unknown, batches: readonly string[]) => {
      await turn();
      return batches.filter((batch) => batch.endsWith('0'));
    },
    loaded: () => Promise.resolve([]),
    audit: () => Promise.resolve({ ...nothing, events: 0, matched: 0, duplicates: 0, conflicts: 0, unreadable: 0 }),
  } as unknown as Warehouse;
  const parts = { sources: {}, secondary: new MemoryQueue(), lake, warehouse };
  const tables = [defineTable('a', { row: z.object({ n: z.int() }), rows: () => undefined })];
  const kept: number[] = [];
  const { report } = await reconcile(parts, settings, tables, {
    full: true,
    now,
    onProgress(count) {
      if (count % 10_000 !== 0) return;
      collectGarbage();
      kept.push(100 * lake.made.filter((made) => made.deref() !== undefined).length);
    },
  });
  expect(report.objects.lake).toBe(objects);
  expect(kept).toHaveLength(10);
  // The page that is worked on, and those that were looked at in this turn.
  expect(Math.max(...kept)).toBeLessThanOrEqual(3_000);
});
