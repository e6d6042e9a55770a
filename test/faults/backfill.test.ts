import { kill } from '../integration/dev-harness.js';
import { newId } from '../../src/ids.js';
import type { Point } from './config/points.js';
import { bodyOf } from './events.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { appendFileSync } from 'node:fs';

/** Twice, so that it is hit on its first page and on a later one. */
const aims: readonly Point[] = ['transforming', 'loading', 'committed', 'committed', 'loading', 'transforming'];
/** More than three pages under way hold. */
const events = 90_000;

const pipeline = new Pipeline();
afterAll(() => pipeline.close());

test('SIGKILL in the middle of a backfill, beside live loads of the same objects: it goes on, and each row is there once', async () => {
  await pipeline.start();
  const bodies = Array.from({ length: events }, (_, n) => `${bodyOf({ id: newId(), number: n })}\n`);
  appendFileSync(pipeline.evidence.sentFile, bodies.join(''));
  const { ledgerFile } = pipeline.evidence;
  await pipeline.run(['send', '-', '--id', '/id', '--ledger', ledgerFile], bodies.join(''));
  await pipeline.settle();

  await whileSending(pipeline, async () => {
    await pipeline.run(['backfill', '--table', 'pairs', '--replace', '--again', '--detach']);
    for (const point of aims) {
      const stop = await pipeline.stopAt(point);
      kill(stop.pid, 'SIGKILL');
      // Whatever is live at this moment, it is asked for as missing too.
      for (const table of ['pairs', 'singles'])
        await pipeline.run(['backfill', '--table', table, '--from', '2020-01-01', '--detach']);
    }
  });
  await pipeline.settle();
  const again = await pipeline.run(['backfill', '--table', 'pairs', '--rejected']);
  expect(again).toMatchObject({ status: 0, answer: { ended: 'COMPLETED', loaded: { objects: 0 } } });
  const verdict = await pipeline.judge({ remade: ['pairs'] });
  console.log(verdict);
  expect(verdict.faults).toEqual([]);
}, 400_000);
