import type { CloudPlace } from '../cloud/place.js';
import type { Queue } from '../../src/providers/queue.js';
import { sendSingles } from '../cloud/singles.js';
import { until } from '../until.js';
import { expectNothingLeft } from './cloud-kills.js';
import type { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { arrives, whileSending } from './sender.js';

/** A rule that stands, and how often it has struck. */
export interface Standing {
  readonly happened: number | (() => Promise<number>);
}

/** What stands between a pipeline and its services. */
export interface Network {
  /** Sets all rules, each with its name. */
  disturb(): Promise<readonly (readonly [string, Standing])[]>;
  clear(): Promise<void>;
  /** Every socket becomes half-open. Resolves with a way to look whether each service was asked meanwhile, and one to end it. */
  silence(): Promise<{ heard: () => boolean; end: () => Promise<void> }>;
  /** What was seen, for who must find out why a rule never struck. */
  seen(): Promise<string>;
}

/** Every fault must happen while events come, and then silence: all goes on by itself, nothing lost, nothing there twice. */
export async function expectToSurviveNetwork(
  pipeline: Pipeline,
  place: CloudPlace,
  network: Network,
  openApp: () => Queue,
): Promise<void> {
  await pipeline.start();
  const sent = await whileSending(pipeline, async (sender) => {
    await arrives(pipeline, sender.sent);
    const rules = await network.disturb();
    const missing = async (): Promise<string[]> => {
      const counts = await Promise.all(
        rules.map(async ([, { happened }]) => (typeof happened === 'number' ? happened : happened())),
      );
      return rules.filter((_, index) => counts[index] === 0).map(([name]) => name);
    };
    const began = Date.now();
    // None that the sender will come to.
    let singles = 1_000_000;
    const all = until(
      'every fault',
      async () => {
        const numbers = Array.from({ length: 30 }, () => singles++);
        await sendSingles(openApp(), pipeline.evidence, numbers);
        return (await missing()).length === 0;
      },
      120_000,
    );
    await all.catch(async () => expect({ missing: await missing(), seen: await network.seen() }).toEqual({}));
    console.log(`${Date.now() - began} ms; ${await network.seen()}`);
    await network.clear();

    const silence = await network.silence();
    await until('silence', silence.heard);
    await silence.end();
    await arrives(pipeline, sender.sent);
  });
  await pipeline.settle();
  await pipeline.freshEvent(sent);
  const compared = await expectProved(pipeline);
  const verdict = await pipeline.judge();
  console.log(verdict, compared);
  expect(verdict.faults).toEqual([]);
  expect(compared).toMatchObject({ singles: verdict.rows['singles'], checked: verdict.events.inLake });
  await expectNothingLeft(place);
}
