import { ConfigError } from '../../errors.js';
import type { Provisioned } from '../provision.js';
import type { Needs } from '../queue.js';
import type { PubsubCalls, Subscription } from './pubsub-calls.js';
import { findForeign } from './pubsub-check-kind.js';
import { wantedOf, type Setting } from './pubsub-wanted.js';

type How = 'plan' | 'apply';

/** The topic and its subscription, and the dead letters' before them, made, or changed where they are not as they should be. */
export async function provisionPubsub(
  calls: PubsubCalls,
  deadLetters: PubsubCalls | undefined,
  how: How,
  needs: Needs,
): Promise<readonly Provisioned[]> {
  const dead = deadLetters === undefined ? [] : await provisionOne(deadLetters, how, needs);
  const deadTopic = await deadLetters?.connection(`looking at ${deadLetters.topic}`);
  return [...dead, ...(await provisionOne(calls, how, needs, deadTopic?.topic))];
}

async function provisionOne(calls: PubsubCalls, how: How, needs: Needs, deadTopic?: string): Promise<Provisioned[]> {
  const { topic, subscription } = await calls.connection(`looking at ${calls.topic}`);
  const found = await calls.findSubscription();
  // Before the topic: of a new one that nothing receives from, producers would be told that their events are safe.
  if (found !== undefined) mustBeOf(found, topic);
  const done: Provisioned[] = [];
  if ((await calls.findTopic()) === undefined) {
    if (how === 'apply') await calls.makeTopic();
    done.push({ what: `make the Pub/Sub topic ${topic}` });
  }
  const wanted = wantedOf(calls.settings, needs, deadTopic);
  if (found === undefined) {
    if (how === 'apply') await calls.makeSubscription(valueOf(wanted));
    const all = wanted.map(({ what }) => what).join(', ');
    return [...done, { what: `make the Pub/Sub subscription ${subscription}: ${all}` }];
  }
  const missing = wanted.filter(({ isMet }) => !isMet(found));
  const fixed = missing.find((setting) => setting.fixed);
  if (fixed !== undefined)
    throw new ConfigError(
      `the subscription ${subscription} is not made to ${fixed.what}, and cannot be changed to it: name another, or take the option out`,
    );
  if (missing.length > 0 && how === 'apply')
    await calls.changeSubscription(
      valueOf(missing),
      missing.map(({ path }) => path),
    );
  return [...done, ...missing.map(({ what }) => ({ what: `Pub/Sub subscription ${subscription}: ${what}` }))];
}

/** Throws `ConfigError`. */
function mustBeOf(found: Subscription, topic: string): void {
  const foreign = findForeign(found, topic);
  if (foreign !== undefined) throw new ConfigError(`${foreign.what}: ${foreign.remedy}`);
}

function valueOf(settings: readonly Setting[]): Subscription {
  return Object.assign({}, ...settings.map(({ value }) => value)) as Subscription;
}
