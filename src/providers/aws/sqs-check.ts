import { describeDuration } from '../../durations.js';
import { describeError } from '../../errors.js';
import type { Finding, Needs } from '../queue.js';
import {
  largestMessageBytes,
  mostInFlight,
  mostReceives,
  numberOf,
  redriveOf,
  type Attributes,
} from './sqs-attributes.js';
import type { BatchResult } from './sqs-batches.js';
import type { SqsCalls } from './sqs-calls.js';

const provision = 'run catchment provision, which sets it';

/** Whether the queue can be used, and keeps messages for as long as the pipeline counts on. Never throws. */
export async function checkSqs(
  calls: SqsCalls,
  deadLetters: SqsCalls | undefined,
  heldMessages: number,
  needs: Needs,
): Promise<readonly Finding[]> {
  try {
    const attributes = await calls.attributes('All');
    return [
      checkRetention(calls, attributes, needs),
      ...checkRedrive(calls, deadLetters, attributes, needs),
      ...(await checkDeadLetters(calls, deadLetters, attributes)),
      ...checkMessages(calls, attributes),
      checkInFlight(calls, attributes, heldMessages),
      await checkPermission(calls, 'acknowledges', () => calls.delete([nobodys])),
      await checkPermission(calls, 'extends leases', () => calls.extend([{ ...nobodys, VisibilityTimeout: 0 }])),
    ];
  } catch (error) {
    return [{ level: 'error', what: describeError(error) }];
  }
}

const nobodys = { Id: '0', ReceiptHandle: 'nobodys' };

async function checkPermission(calls: SqsCalls, does: string, call: () => Promise<BatchResult>): Promise<Finding> {
  try {
    await call();
    return { level: 'ok', what: `${nameOf(calls)} ${does}` };
  } catch (error) {
    return { level: 'error', what: describeError(error) };
  }
}

function checkRetention(calls: SqsCalls, attributes: Attributes, { surviveMs }: Needs): Finding {
  const seconds = numberOf(attributes, 'MessageRetentionPeriod');
  if (seconds === undefined)
    return { level: 'warning', what: `${nameOf(calls)} does not tell how long it keeps messages` };
  const what = `${nameOf(calls)} keeps messages for ${describeDuration(seconds * 1_000)}`;
  if (seconds * 1_000 > surviveMs) return { level: 'ok', what };
  return {
    level: 'error',
    what: `${what}: what waits is lost in an outage of ${describeDuration(surviveMs)}, which survive asks it to outlast`,
    remedy: provision,
  };
}

/** A poller that crashes takes its messages once a lease: at the last receive allowed, the outage must be over. */
function checkRedrive(
  calls: SqsCalls,
  deadLetters: SqsCalls | undefined,
  attributes: Attributes,
  { surviveMs, leaseMs }: Needs,
): Finding[] {
  const redrive = redriveOf(attributes);
  if (redrive === undefined) {
    if (deadLetters === undefined)
      return [{ level: 'ok', what: `${nameOf(calls)} has no dead letters: messages stay` }];
    const what = `${nameOf(calls)} sends nothing to ${nameOf(deadLetters)}, which deadLetterUrl names`;
    return [{ level: 'warning', what, remedy: `${provision}, or leave deadLetterUrl out` }];
  }
  const { deadLetterTargetArn, maxReceiveCount } = redrive;
  const lasts = maxReceiveCount * leaseMs;
  const what = `${nameOf(calls)} gives a message up after ${maxReceiveCount} receives, ${describeDuration(lasts)} of leases`;
  const findings: Finding[] = [];
  if (lasts >= surviveMs) findings.push({ level: 'ok', what });
  else
    findings.push({
      level: 'error',
      what: `${what}: in an outage of ${describeDuration(surviveMs)}, which survive asks it to outlast, messages become dead letters`,
      remedy:
        mostReceives * leaseMs >= surviveMs
          ? provision
          : `SQS allows no more than ${mostReceives}: make lease longer, or leave deadLetterUrl and the redrive policy out`,
    });
  const target = deadLetterTargetArn.split(':').at(-1)!;
  if (target !== deadLetters?.queue.name)
    findings.push({
      level: 'error',
      what: `${nameOf(calls)} sends dead letters to ${target}, which ${deadLetters === undefined ? 'the config does not name' : `is not ${deadLetters.queue.name}`}: nobody would see them`,
      remedy: `name it in deadLetterUrl, so that reconcile counts them and catchment drain-dlq brings them in`,
    });
  return findings;
}

/** A message keeps its age when it becomes a dead letter: what waited for long there is lost first. */
async function checkDeadLetters(
  calls: SqsCalls,
  deadLetters: SqsCalls | undefined,
  attributes: Attributes,
): Promise<Finding[]> {
  if (deadLetters === undefined) return [];
  const dead = await deadLetters.attributes('All');
  const [keeps, deadKeeps] = [attributes, dead].map((one) => numberOf(one, 'MessageRetentionPeriod'));
  const waiting = numberOf(dead, 'ApproximateNumberOfMessages') ?? 0;
  const findings: Finding[] = [];
  if (keeps !== undefined && deadKeeps !== undefined && deadKeeps < keeps)
    findings.push({
      level: 'error',
      what: `${nameOf(deadLetters)} keeps messages for ${describeDuration(deadKeeps * 1_000)}, less than ${nameOf(calls)}, and counts from when they were sent`,
      remedy: provision,
    });
  findings.push(
    waiting === 0
      ? { level: 'ok', what: `${nameOf(deadLetters)} is empty` }
      : {
          level: 'warning',
          what: `${nameOf(deadLetters)} holds about ${waiting} messages`,
          remedy: 'bring them into the lake with catchment drain-dlq',
        },
  );
  return findings;
}

function checkMessages(calls: SqsCalls, attributes: Attributes): Finding[] {
  const findings: Finding[] = [];
  const largest = numberOf(attributes, 'MaximumMessageSize');
  if (largest !== undefined && largest < largestMessageBytes)
    findings.push({
      level: 'warning',
      what: `${nameOf(calls)} takes messages of ${largest} bytes: larger ones, packed ones too, are refused`,
      remedy: provision,
    });
  const delay = numberOf(attributes, 'DelaySeconds') ?? 0;
  if (delay > 0)
    findings.push({
      level: 'warning',
      what: `${nameOf(calls)} delays each message by ${delay} s, which freshness does not count on`,
      remedy: 'set DelaySeconds to 0',
    });
  return findings;
}

function checkInFlight(calls: SqsCalls, attributes: Attributes, heldMessages: number): Finding {
  const pollers = Math.floor(mostInFlight / heldMessages);
  const now = numberOf(attributes, 'ApproximateNumberOfMessagesNotVisible') ?? 0;
  const what = `${nameOf(calls)} hands out ${mostInFlight} messages at most: ${pollers} pollers of ${heldMessages} each; about ${now} now`;
  if (now < 0.9 * mostInFlight) return { level: 'ok', what };
  return {
    level: 'warning',
    what,
    remedy: 'lower heldMessages, or run fewer pollers: over it SQS answers as if it were empty',
  };
}

const nameOf = ({ queue }: SqsCalls): string => `SQS queue ${queue.name}`;
