import { setTimeout as sleep } from 'node:timers/promises';

import { kill, until } from '../integration/dev-harness.js';
import { lastPassed, points, type Point, type Stop } from './config/points.js';
import { expectedRows } from './events.js';
import { readTables } from './judge-tables.js';
import { Pipeline } from './pipeline.js';
import { seeded } from './random.js';
import { whileSending } from './sender.js';

/** `tree`: all of it at once. The sender is the users' own process. */
const victims = ['tree', 'dev', 'worker', 'poll', 'server', 'temporal', 'sender'] as const;
const rounds = 2;

/** Where kills must have fallen. Those of the poller stand between those of the worker, whose loads wait for a heartbeat. */
const aims: readonly Point[] = [
  'transforming',
  'received from source',
  'loading',
  'stored',
  'before acknowledge of source',
  'committed',
  'relayed',
  'before acknowledge of secondary',
];

const pipeline = new Pipeline();
afterAll(() => pipeline.close());

test('SIGKILL of anything at any moment: nothing is lost, nothing is there twice', async () => {
  await seeded('test/faults/kills.test.ts', async (random) => {
    const fell = new Map<Point, number>(points.map((point) => [point, 0]));
    const note = (pid: number | undefined): void => {
      const point = pid === undefined ? undefined : lastPassed(pipeline.dataDir, pid);
      if (point !== undefined) fell.set(point, fell.get(point)! + 1);
    };
    await pipeline.start();
    const sent = await whileSending(pipeline, async (sender) => {
      for (const point of aims) {
        const stop = await pipeline.stopAt(point);
        expect([point, await isCommitted(stop)]).toEqual([point, point === 'committed']);
        note(stop.pid);
        kill(stop.pid, 'SIGKILL');
      }
      for (let round = 0; round < rounds; round++) {
        for (const victim of shuffled(victims, random)) {
          // Some fall on what is only starting, most on what works.
          if (random() < 0.8) await working();
          await sleep(random() * 1_000);
          const before = [pipeline.pid('worker'), pipeline.pid('poll')];
          if (victim === 'sender') sender.kill();
          else if (victim === 'tree') await pipeline.killTree();
          else kill(await pipeline.process(victim), 'SIGKILL');
          if (victim === 'tree') before.forEach(note);
          if (victim === 'worker') note(before[0]);
          if (victim === 'poll') note(before[1]);
          if (victim === 'tree' || victim === 'dev') await pipeline.start();
        }
      }
    });
    await pipeline.settle();
    await pipeline.freshEvent(sent);
    const verdict = await pipeline.judge();
    console.log('killed at', Object.fromEntries(fell), verdict);
    expect(verdict.faults).toEqual([]);
    for (const point of aims) expect([point, fell.get(point)]).not.toEqual([point, 0]);
  });
}, 400_000);

/** Waits until worker and poller have something in hand. */
async function working(): Promise<void> {
  for (const part of ['worker', 'poll'] as const) {
    await until(`${part} to work`, () => {
      const pid = pipeline.pid(part);
      return pid !== undefined && lastPassed(pipeline.dataDir, pid) !== undefined;
    });
  }
}

/** Whether a load that was under way is in the warehouse, as its owner would find it if it died now. */
async function isCommitted({ load }: Stop): Promise<boolean> {
  if (load === undefined) return false;
  const tables = await readTables(pipeline.dataDir, Object.keys(expectedRows));
  return tables.get(load.table)!.manifest.some((line) => line['load'] === load.id);
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
