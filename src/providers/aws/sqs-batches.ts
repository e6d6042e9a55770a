import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';

import { CatchmentError, Unavailable } from '../../errors.js';
import type { Outcome } from '../queue.js';
import { largestMessageBytes } from './sqs-attributes.js';

/** AWS: SQS developer guide, "Amazon SQS batch actions": a batch may have as many bytes as one message. */
export const batchLimits = { entries: 10, bytes: largestMessageBytes } as const;

/** What SQS answers to a batch: an outcome an entry, by the entry's id, under HTTP 200. Some say null where there is none. */
export interface BatchResult {
  readonly Failed?: readonly BatchResultErrorEntry[] | null | undefined;
  readonly Successful?: readonly { readonly Id: string | undefined }[] | null | undefined;
}

/** Items in order, as few batches as hold them: at most ten, and as many bytes as one message may have. */
export function inBatches<Item>(items: readonly Item[], bytesOf: (item: Item) => number = () => 0): Item[][] {
  const batches: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    const last = batches.at(-1);
    if (last !== undefined && last.length < batchLimits.entries && bytes + size <= batchLimits.bytes) {
      last.push(item);
      bytes += size;
    } else {
      batches.push([item]);
      bytes = size;
    }
  }
  return batches;
}

/** One outcome an entry, the ids being their places. An entry that the answer does not name may have been done or not. */
export function outcomesOf(
  count: number,
  { Successful, Failed }: BatchResult,
  ofFailed: (entry: BatchResultErrorEntry) => Outcome,
): Outcome[] {
  const outcomes = Array.from<Outcome | undefined>({ length: count });
  for (const { Id } of Successful ?? []) outcomes[Number(Id)] = { status: 'done' };
  for (const entry of Failed ?? []) outcomes[Number(entry.Id)] = ofFailed(entry);
  return outcomes.map((outcome) => outcome ?? silent);
}

const silent: Outcome = {
  status: 'failed',
  error: new Unavailable('SQS answered a batch without an outcome for each of its entries'),
  retry: true,
};

/**
 * The receipt is no longer ours to use: another delivery has the message, it is gone, its lease cannot be any longer, or
 * the queue was made anew. SQS has three names for it; its message, which quotes the receipt, is never passed on.
 */
const expiredCodes = new Set(['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue']);

export function ofFailedReceipt({ Code = 'unknown' }: BatchResultErrorEntry): Outcome {
  const name = shortCode(Code);
  if (expiredCodes.has(name)) return { status: 'expired' };
  return { status: 'failed', error: new Unavailable(`SQS answered ${name}`), retry: true };
}

/**
 * What SQS says of a message itself: the same again would be refused again. What else it calls the sender's fault (a missing
 * permission, a key that is disabled, too many calls) can be mended without the message.
 */
const finalCodes = new Set([
  'InvalidMessageContents',
  'InvalidParameterValue',
  'InvalidAttributeValue',
  'MissingParameter',
  'UnsupportedOperation',
]);

export function ofFailedMessage({ Code = 'unknown', SenderFault }: BatchResultErrorEntry): Outcome {
  const name = shortCode(Code);
  if (SenderFault !== true || !finalCodes.has(name))
    return { status: 'failed', error: new Unavailable(`SQS answered ${name}`), retry: true };
  const error = new CatchmentError(`SQS refuses the message: ${name}`);
  return { status: 'failed', error, retry: false };
}

/** Of a message alone. A queue may take less than SQS does. */
export function tooLarge(bytes: number, url: string): Outcome {
  const error = new CatchmentError(
    `A message of ${bytes} bytes, as SQS counts it, is too large for the queue ${url}: SQS takes ${batchLimits.bytes}, and a queue ` +
      'with a lower MaximumMessageSize less, which catchment provision raises. Split it, or send a reference to what it holds.',
    { path: url },
  );
  return { status: 'failed', error, retry: false };
}

/** `com.amazonaws.sqs#X` and the older protocol's `AWS.SimpleQueueService.X` are both X. */
function shortCode(code: string): string {
  const name = code.split(/[#.]/).at(-1)!;
  // Anything else may be a text that quotes what was sent.
  return /^\w{1,60}$/.test(name) ? name : 'an unknown error';
}
