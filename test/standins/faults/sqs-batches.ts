import type { Call, Fault } from './fault.js';
import { bodyOf, inputOf, outputOf, replyWith, type BatchInput, type BatchOutput, type Entry } from './sqs-json.js';

/** Of each batch, a share of the entries never reaches the target, and is answered in `Failed` under HTTP 200. Counts entries. */
export function refuseEntries(share: number): Fault {
  return {
    name: 'refuseEntries',
    async run(call, { next, random, happened }) {
      if (!isBatch(call)) return next();
      const input = await inputOf<BatchInput>(call);
      const [refused, passed] = split(input.Entries, () => random() < share);
      if (refused.length === 0) return next();
      // SQS knows no batch of nothing.
      const outcome = passed.length === 0 ? replyWith({}) : await next(bodyOf({ ...input, Entries: passed }));
      const output = await outputOf<BatchOutput>(outcome);
      if (output === undefined) return outcome;
      happened(refused.length);
      return replyWith(withFailed(output.Successful ?? [], output.Failed ?? [], refused));
    },
  };
}

/** Of each batch, a share of the entries takes effect, yet is answered in `Failed` under HTTP 200. Counts entries. */
export function disownEntries(share: number): Fault {
  return {
    name: 'disownEntries',
    async run(call, { next, random, happened }) {
      if (!isBatch(call)) return next();
      const outcome = await next();
      const output = await outputOf<BatchOutput>(outcome);
      if (output === undefined) return outcome;
      const [disowned, successful] = split(output.Successful ?? [], () => random() < share);
      happened(disowned.length);
      return replyWith(withFailed(successful, output.Failed ?? [], disowned));
    },
  };
}

function isBatch({ operation }: Call): boolean {
  return ['SendMessageBatch', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'].includes(operation);
}

function withFailed(successful: readonly Entry[], failed: readonly Entry[], more: readonly Entry[]): BatchOutput {
  const code = { SenderFault: false, Code: 'InternalError', Message: 'a fault of the test' };
  return { Successful: successful, Failed: [...failed, ...more.map(({ Id }) => ({ Id, ...code }))] };
}

function split<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  const both: [Item[], Item[]] = [[], []];
  for (const item of items) both[isFirst(item) ? 0 : 1].push(item);
  return both;
}
