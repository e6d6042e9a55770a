import { describeDuration } from '../../durations.js';
import { describeError } from '../../errors.js';
import type { Finding, Needs } from '../queue.js';
import { backlogOf } from './pubsub-backlog.js';
import type { PubsubCalls, Subscription } from './pubsub-calls.js';
import { checkKind } from './pubsub-check-kind.js';
import { expiresAfterSeconds, mostAttempts, retentionSecondsOf } from './pubsub-wanted.js';
import { missingRemedy } from './sdk-remedies.js';
import { sdkError } from './sdk.js';

const provision = 'run catchment provision, which sets it';
/** Google's client heeds both. */
const emulators = ['PUBSUB_EMULATOR_HOST', 'CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB'];

/** Whether the topic and its subscription can be used, and keep messages for as long as the pipeline counts on. Never throws. */
export async function checkPubsub(
  calls: PubsubCalls,
  deadLetters: PubsubCalls | undefined,
  needs: Needs,
  mustSend: boolean,
): Promise<readonly Finding[]> {
  try {
    const { topic, subscription } = await calls.connection(`looking at ${calls.subscription}`);
    const found = await calls.findSubscription();
    if (found === undefined)
      return [{ level: 'error', what: `there is no Pub/Sub subscription ${subscription}`, remedy: missingRemedy }];
    const deadTopic = (await deadLetters?.connection('looking at the dead letters'))?.topic;
    return [
      ...checkEmulator(calls),
      ...checkKind(found, topic),
      checkRetention(found, needs),
      checkExpiry(found, needs),
      ...checkAsked(calls, found),
      ...checkDeadLetterPolicy(found, deadTopic, needs),
      ...(deadLetters === undefined ? [] : await checkDeadLetters(deadLetters, needs)),
      ...(await checkPermission(calls, 'subscription', 'pubsub.subscriptions.consume', 'receives and acknowledges')),
      // A source may be somebody else's topic.
      ...(mustSend ? await checkPermission(calls, 'topic', 'pubsub.topics.publish', 'sends') : []),
      ...(await checkBacklog(calls)),
    ];
  } catch (error) {
    return [{ level: 'error', what: describeError(error) }];
  }
}

/** What is stored there is acknowledged, and gone with it. */
function checkEmulator({ settings }: PubsubCalls): Finding[] {
  const set = emulators.find((variable) => (process.env[variable] ?? '') !== '');
  if (set === undefined || settings.endpoint !== undefined) return [];
  const what = `${set} is set: this is not Pub/Sub itself, but what that names`;
  return [{ level: 'warning', what, remedy: 'unset it, or name the emulator as endpoint in the config' }];
}

function checkRetention(found: Subscription, { surviveMs }: Needs): Finding {
  const keptMs = retentionSecondsOf(found) * 1_000;
  const what = `${found.name} keeps messages for ${describeDuration(keptMs)}`;
  if (keptMs > surviveMs) return { level: 'ok', what };
  return {
    level: 'error',
    what: `${what}: what waits is lost in an outage of ${describeDuration(surviveMs)}, which survive asks it to outlast`,
    remedy: provision,
  };
}

function checkExpiry(found: Subscription, { surviveMs }: Needs): Finding {
  const seconds = expiresAfterSeconds(found);
  if (seconds === undefined) return { level: 'ok', what: `${found.name} never expires` };
  return {
    level: seconds * 1_000 > surviveMs ? 'warning' : 'error',
    what: `Pub/Sub removes ${found.name}, and all that waits there, where nobody receives for ${describeDuration(seconds * 1_000)}`,
    remedy: provision,
  };
}

function checkAsked({ settings }: PubsubCalls, found: Subscription): Finding[] {
  const findings: Finding[] = [];
  if (settings.ordered && found.enableMessageOrdering !== true)
    findings.push({
      level: 'error',
      what: `${found.name} delivers groups in no order, and cannot be changed to it`,
      remedy: 'name a new one, and make it with catchment provision',
    });
  if (settings.exactlyOnce && found.enableExactlyOnceDelivery !== true)
    findings.push({ level: 'warning', what: `${found.name} does not deliver exactly once`, remedy: provision });
  return findings;
}

/** A poller that crashes has its messages delivered once more, after a lease. What becomes a dead letter is not lost, but late. */
function checkDeadLetterPolicy(
  { name, deadLetterPolicy }: Subscription,
  deadTopic: string | undefined,
  { surviveMs, leaseMs }: Needs,
): Finding[] {
  const { deadLetterTopic = '', maxDeliveryAttempts = 0 } = deadLetterPolicy ?? {};
  if (deadLetterTopic === null || deadLetterTopic === '')
    return deadTopic === undefined
      ? [{ level: 'ok', what: `${name} has no dead letters: messages stay` }]
      : [
          {
            level: 'warning',
            what: `${name} sends nothing to ${deadTopic}, which deadLetters names`,
            remedy: `${provision}, or leave deadLetters out`,
          },
        ];
  const attempts = Number(maxDeliveryAttempts);
  const lasts = describeDuration(attempts * leaseMs);
  const what = `${name} makes a dead letter of a message after ${attempts} deliveries: where pollers crash over and over, after ${lasts}`;
  const findings: Finding[] = [
    attempts === mostAttempts || attempts * leaseMs >= surviveMs
      ? { level: 'ok', what }
      : { level: 'warning', what, remedy: provision },
  ];
  if (deadLetterTopic !== deadTopic)
    findings.push({
      level: 'error',
      what: `${name} sends dead letters to ${deadLetterTopic}, which ${deadTopic === undefined ? 'the config does not name' : `is not ${deadTopic}`}: nobody would see them`,
      remedy: 'name it in deadLetters, so that reconcile counts them and catchment drain-dlq brings them in',
    });
  return findings;
}

/** What is sent to a topic without a subscription is gone. */
async function checkDeadLetters(deadLetters: PubsubCalls, needs: Needs): Promise<Finding[]> {
  const { topic, subscription } = await deadLetters.connection('looking at the dead letters');
  const found = await deadLetters.findSubscription();
  if (found === undefined)
    return [
      {
        level: 'error',
        what: `there is no subscription ${subscription} of the dead letters: what is sent there is gone`,
        remedy: missingRemedy,
      },
    ];
  const findings = [...checkKind(found, topic), checkRetention(found, needs), checkExpiry(found, needs)];
  try {
    const { waiting } = await backlogOf(deadLetters);
    findings.push(
      waiting === 0
        ? { level: 'ok', what: `${subscription} is empty` }
        : {
            level: 'warning',
            what: `${subscription} holds about ${waiting} messages`,
            remedy: 'bring them into the lake with catchment drain-dlq',
          },
    );
  } catch (error) {
    findings.push({ level: 'warning', what: describeError(error) });
  }
  return findings;
}

interface CanTest {
  testIamPermissions(asked: { resource: string; permissions: string[] }): Promise<[{ readonly permissions: string[] }]>;
}

async function checkPermission(
  calls: PubsubCalls,
  on: 'subscription' | 'topic',
  permission: string,
  does: string,
): Promise<Finding[]> {
  const { subscriber, ...connection } = await calls.connection(`looking at ${calls[on]}`);
  try {
    const asked = { resource: connection[on], permissions: [permission] };
    // The client is typed to be given an instance of a class that it does not export.
    const [{ permissions }] = await (subscriber as unknown as CanTest).testIamPermissions(asked);
    if (permissions.includes(permission)) return [{ level: 'ok', what: `this process ${does} (${connection[on]})` }];
    return [
      {
        level: 'error',
        what: `this process may not use ${connection[on]} as it must`,
        remedy: `allow ${permission} to who runs this`,
      },
    ];
  } catch (error) {
    // An emulator has no such thing.
    if (sdkError(error).grpc === 12) return [];
    throw calls.failure(error, `asking what is allowed on ${connection[on]}`, permission);
  }
}

/** Without it messages come all the same; reconcile and people see less. */
async function checkBacklog(calls: PubsubCalls): Promise<Finding[]> {
  try {
    const { waiting } = await backlogOf(calls);
    return [{ level: 'ok', what: `about ${waiting} messages wait on ${calls.subscription}` }];
  } catch (error) {
    return [{ level: 'warning', what: describeError(error) }];
  }
}
