import { setTimeout as sleep } from 'node:timers/promises';

import { kill } from '../integration/dev-harness.js';
import { lastPassed, points, type Point, type Stop } from './config/points.js';
import { expectedRows } from './events.js';
import { readTables } from './judge-tables.js';
import { Pipeline } from './pipeline.js';
import { expectProved, plant, proof, Proving } from './proof.js';
import { seeded, shuffled } from './random.js';
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
    let proving: Proving | undefined;
    const sent = await whileSending(pipeline, async (sender) => {
      for (const point of aims) {
        const stop = await pipeline.stopAt(point);
        expect([point, await isCommitted(stop)]).toEqual([point, point === 'committed']);
        note(stop.pid);
        kill(stop.pid, 'SIGKILL');
      }
      // Not before: a comparison may have the warehouse open, and then a worker that stands still stops no load.
      proving = new Proving(pipeline);
      for (let round = 0; round < rounds; round++) {
        for (const victim of shuffled(victims, random)) {
          // Some fall on what is only starting, most on what works.
          if (random() < 0.8) await pipeline.working();
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
    }).finally(() => proving?.stop());
    await pipeline.settle();
    await pipeline.freshEvent(sent);
    const compared = await expectProved(pipeline);
    const verdict = await pipeline.judge();
    console.log('killed at', Object.fromEntries(fell), verdict, `${proving!.answers} comparisons`, compared);
    expect(verdict.faults).toEqual([]);
    expect(proving!.falseAlarms).toEqual([]);
    expect(proving!.answers).toBeGreaterThan(0);
    const { singles, checked } = verdict.rows;
    expect(compared).toMatchObject({ singles, checked: verdict.events.inLake });
    expect(checked).toBeLessThan(verdict.events.inLake);
    await findsWhatIsPlanted();
    for (const point of aims) expect([point, fell.get(point)]).not.toEqual([point, 0]);
  });
}, 400_000);

/** One event's row in place of another's: no count and no sum tells of it. */
async function findsWhatIsPlanted(): Promise<void> {
  const first = '(SELECT min(rowid) FROM singles)';
  await plant(pipeline, `UPDATE singles SET _event_key = md5(_event_key) WHERE rowid = ${first}`);
  expect(await proof(pipeline)).toMatchObject({ ok: true });
  const found = await proof(pipeline, '--deep');
  expect(found).toMatchObject({ ok: false, tables: { singles: { identities: { missing: 1, uneven: 0, extra: 1 } } } });
  await plant(pipeline, `DELETE FROM singles WHERE rowid = ${first}`);
  expect(await proof(pipeline)).toMatchObject({ ok: false, tables: { singles: { rowsMissing: 1 } } });
}

/** Whether a load that was under way is in the warehouse, as its owner would find it if it died now. */
async function isCommitted({ load }: Stop): Promise<boolean> {
  if (load === undefined) return false;
  const tables = await readTables(pipeline.dataDir, Object.keys(expectedRows));
  return tables.get(load.table)!.manifest.some((line) => line['load'] === load.id);
}
