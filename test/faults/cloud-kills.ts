import { setTimeout as sleep } from 'node:timers/promises';

import { kill } from '../integration/dev-harness.js';
import type { CloudPlace } from '../cloud/place.js';
import { until } from '../until.js';
import { lastPassed, type Point } from './config/points.js';
import type { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { seeded, shuffled } from './random.js';
import { arrives, whileSending } from './sender.js';
import { Watch } from './watch.js';

/** A service that can be taken away and given back. */
export interface Victim {
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Where kills of our own must fall. Those of the poller stand between those of the worker, whose loads wait for a heartbeat. */
const aims: readonly Point[] = ['stored', 'committed', 'before acknowledge of source', 'relayed'];
/** At any moment of the work. */
const atRandom = ['tree', 'queues', 'lake'] as const;

const eventsPerSecond = 150;

/** Kills whatever works, in mid-work, while events are sent: all must go on by itself, nothing lost, nothing there twice. */
export async function expectToSurviveKills(
  title: string,
  pipeline: Pipeline,
  place: CloudPlace,
  services: Readonly<Record<'queues' | 'lake', Victim>>,
): Promise<void> {
  const watch = await Watch.start(pipeline);
  try {
    await seeded(title, async (random) => {
      const fell: string[] = [];
      /** The service is gone while a process stands whose next call is one of it. */
      const withoutService = async (
        service: 'queues' | 'lake',
        point: Point,
        meanwhile: (pid: number) => Promise<void> = () => Promise.resolve(),
      ): Promise<void> => {
        const stop = await pipeline.stopAt(point);
        await services[service].goAway();
        fell.push(`${service} at ${lastPassed(pipeline.dataDir, stop.pid)}`);
        kill(stop.pid, 'SIGCONT');
        await meanwhile(stop.pid);
        await services[service].comeBack();
      };
      const sent = await whileSending(
        pipeline,
        async (sender) => {
          const goesOn = (): Promise<void> => arrives(pipeline, sender.sent);
          await goesOn();
          for (const point of aims) {
            const stop = await pipeline.stopAt(point);
            fell.push(`${lastPassed(pipeline.dataDir, stop.pid)}`);
            kill(stop.pid, 'SIGKILL');
          }
          // What this poller has is nowhere but on the queue.
          await withoutService('lake', 'received from source', async (poller) => {
            await until('a batch that cannot be stored', async () => {
              const pending = await watch.pending('ingestBatch');
              return pending.some(({ activity, error }) => activity === 'persist' && error.includes('writing raw/'));
            });
            kill(poller, 'SIGKILL');
          });
          await goesOn();
          await withoutService('queues', 'before acknowledge of source');
          await goesOn();
          for (const victim of shuffled(atRandom, random)) {
            await pipeline.working();
            await sleep(random() * 1_000);
            fell.push(victim);
            if (victim === 'tree') {
              await pipeline.killTree();
              await pipeline.start();
            } else {
              await services[victim].goAway();
              await services[victim].comeBack();
            }
            await goesOn();
          }
        },
        eventsPerSecond,
      );
      await pipeline.settle();
      await pipeline.freshEvent(sent);
      const compared = await expectProved(pipeline);
      const verdict = await pipeline.judge();
      console.log('killed at', fell, verdict, compared);
      expect(verdict.faults).toEqual([]);
      expect(compared).toMatchObject({ singles: verdict.rows['singles'], checked: verdict.events.inLake });
      expect(fell).toHaveLength(aims.length + 2 + atRandom.length);
      await expectNothingLeft(place);
    });
  } finally {
    await watch.close();
  }
}

/** Neither on the queues nor among their dead letters. */
export async function expectNothingLeft(place: CloudPlace): Promise<void> {
  for (const queue of ['app', 'app-dead', 'secondary', 'secondary-dead'])
    expect([queue, await place.backlog(queue)]).toEqual([queue, { waiting: 0, leased: 0 }]);
}
