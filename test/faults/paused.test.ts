import { kill } from '../integration/dev-harness.js';
import type { Point } from './config/points.js';
import { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { whileSending } from './sender.js';

interface Described {
  readonly pendingActivities?: readonly {
    readonly activityType: { readonly name: string };
    readonly attempt?: number;
  }[];
}
type Listed = readonly { readonly execution: { readonly workflowId: string } }[];

const pipeline = new Pipeline();
afterAll(() => pipeline.close());

test('a worker paused in a load until others took its work, and then going on: no row twice, nothing rejected', async () => {
  await pipeline.start();
  // Not dev's child: what the paused one does not do, this one is given.
  const second = pipeline.startCommand(['worker']);
  second.stdout.resume();
  second.stderr.resume();
  const sent = await whileSending(pipeline, async () => {
    for (const [point, activity] of [
      ['loading', 'load'],
      ['committed', 'load'],
      ['transforming', 'transform'],
    ] as const) {
      const { pid } = await pipeline.stopAt(point satisfies Point);
      while (!(await isTriedAgain(activity))) continue;
      kill(pid, 'SIGCONT');
    }
  });
  await pipeline.settle();
  second.kill('SIGTERM');
  await pipeline.freshEvent(sent);
  await expectProved(pipeline);
  const verdict = await pipeline.judge();
  console.log(verdict);
  expect(verdict.faults).toEqual([]);
}, 300_000);

/** Temporal took the activity for dead, and gave it out once more. */
async function isTriedAgain(activity: string): Promise<boolean> {
  const query = `WorkflowType = 'loadBatch' AND ExecutionStatus = 'Running'`;
  const running = (await pipeline.temporal(['workflow', 'list', '--query', query])) as Listed;
  for (const { execution } of running) {
    const workflow = ['workflow', 'describe', '--workflow-id', execution.workflowId];
    const { pendingActivities = [] } = (await pipeline.temporal(workflow)) as Described;
    if (pendingActivities.some(({ activityType, attempt = 1 }) => activityType.name === activity && attempt > 1))
      return true;
  }
  return false;
}
