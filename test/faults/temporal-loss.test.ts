import type { Point } from './config/points.js';
import { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { whileSending } from './sender.js';

const points: readonly Point[] = [
  'received from source',
  'stored',
  'relayed',
  'before acknowledge of source',
  'transforming',
  'loading',
  'committed',
  'before acknowledge of secondary',
];

let pipeline: Pipeline;
beforeEach(() => {
  pipeline = new Pipeline();
});
afterEach(() => pipeline.close());

test("Temporal's database lost with everything killed, at each point of the way: all is loaded", async () => {
  await eachPoint(async () => {
    await pipeline.killTree();
    pipeline.removeDatabase();
    await pipeline.start();
  });
}, 300_000);

test("Temporal's database lost with the server alone killed, at each point of the way: all is loaded", async () => {
  await eachPoint((stopped) => pipeline.loseTemporal(stopped));
}, 300_000);

async function eachPoint(lose: (stopped: number) => Promise<void>): Promise<void> {
  await pipeline.start();
  const sent = await whileSending(pipeline, async () => {
    for (const point of points) {
      const stop = await pipeline.stopAt(point);
      // A poller may come to its first point before the worker, on a busy machine, has started any workflow.
      let before: string;
      do before = new Date().toISOString();
      while ((await workflowsBefore(before)) === 0);
      await lose(stop.pid);
      expect([point, await workflowsBefore(before)]).toEqual([point, 0]);
    }
  });
  await pipeline.settle();
  await pipeline.freshEvent(sent);
  await expectProved(pipeline);
  const verdict = await pipeline.judge();
  console.log(verdict);
  expect(verdict.faults).toEqual([]);
}

/** As Temporal remembers them. */
async function workflowsBefore(time: string): Promise<number> {
  const query = `StartTime < '${time}'`;
  const { count = '0' } = (await pipeline.temporal(['workflow', 'count', '--query', query])) as { count?: string };
  return Number(count);
}
