import type { Fault } from './fault.js';
import {
  askSqs,
  bodyOf,
  inputOf,
  outputOf,
  replyWith,
  type BatchOutput,
  type Message,
  type ReceiveInput,
  type ReceiveOutput,
} from './sqs-json.js';

/**
 * A share of the messages received can at once be received by others too: the proxy ends their visibility timeout behind the
 * client's back, as if it had been too short. So the queue itself delivers them again, with all that goes with it: a higher
 * `ApproximateReceiveCount`, a new handle, and an old one that a stand-in refuses and SQS may refuse or take. Nothing is
 * delivered again that is deleted before anybody asks. Counts the messages made visible.
 */
export function deliverAgain(share: number): Fault {
  return {
    name: 'deliverAgain',
    async run(call, around) {
      if (call.operation !== 'ReceiveMessage') return around.next();
      const { QueueUrl } = await inputOf<ReceiveInput>(call);
      const outcome = await around.next();
      const output = await outputOf<ReceiveOutput>(outcome);
      if (output === undefined) return outcome;
      const again = (output.Messages ?? []).filter(() => around.random() < share);
      if (again.length > 0) {
        const Entries = again.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 }));
        const changed = await askSqs<BatchOutput>(around, 'ChangeMessageVisibilityBatch', { QueueUrl, Entries });
        around.happened(changed?.Successful?.length ?? 0);
      }
      return replyWith(output);
    },
  };
}

/**
 * A share of the messages received is in a later reply once more, to whoever asks then, even when it has been deleted since:
 * on SQS a server that was away when a message was deleted may deliver it again. The copy is the proxy's and not the queue's, so
 * it has the same handle and count as the first, and the two holders extend and delete the one message. Counts copies.
 */
export function deliverTwice(share: number): Fault {
  return withLater('deliverTwice', share, true);
}

/**
 * A share of the messages received is held back to a later reply, behind others. A held message is in flight at the
 * queue; held for longer than its visibility timeout it comes with a stale handle, as after a slow network. One that nobody
 * fetches is delivered again by the queue. Counts messages that came late.
 */
export function deliverLate(share: number): Fault {
  return withLater('deliverLate', share, false);
}

/** Both kinds shuffle each reply: SQS promises no order. */
function withLater(name: string, share: number, isCopied: boolean): Fault {
  const held = new Map<string, Message[]>();
  return {
    name,
    async run(call, { next, random, happened }) {
      if (call.operation !== 'ReceiveMessage') return next();
      const input = await inputOf<ReceiveInput>(call);
      const { QueueUrl, MaxNumberOfMessages: most = 1 } = input;
      const waiting = held.get(QueueUrl) ?? [];
      held.set(QueueUrl, waiting);
      // Some, not all: else what is held would always come in the very next reply.
      const due = waiting.splice(0, Math.min(most, Math.ceil(random() * waiting.length)));
      let fresh: readonly Message[] = [];
      if (due.length < most) {
        // Messages are there to be had, so this poll does not wait.
        const changed = { ...input, MaxNumberOfMessages: most - due.length, WaitTimeSeconds: 0 };
        const outcome = await next(due.length === 0 ? undefined : bodyOf(changed));
        const output = await outputOf<ReceiveOutput>(outcome);
        if (output === undefined) {
          waiting.unshift(...due);
          return outcome;
        }
        fresh = output.Messages ?? [];
      }
      // One at least is given now: an empty reply would be another fault.
      const later = fresh.filter((_, i) => random() < share && (i > 0 || due.length > 0));
      waiting.push(...later);
      happened(due.length);
      const now = isCopied ? fresh : fresh.filter((message) => !later.includes(message));
      const all = shuffled([...due, ...now], random);
      return replyWith(all.length === 0 ? {} : { Messages: all });
    },
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
