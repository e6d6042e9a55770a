import fc from 'fast-check';

import { Unavailable } from '../../src/errors.js';
import { inBatches, ofFailedMessage, ofFailedReceipt, outcomesOf } from '../../src/providers/aws/sqs-batches.js';

const failed = (Code: string, SenderFault: boolean) => ({ Id: '0', Code, SenderFault });

test('batches keep the order, hold ten at most, and no more bytes than a message may have', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1_048_576 }), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (items) => {
      const batches = inBatches(items, (bytes) => bytes);
      expect(batches.flat()).toEqual(items);
      for (const [index, batch] of batches.entries()) {
        expect(batch.length).toBeLessThanOrEqual(10);
        const bytes = batch.reduce((sum, size) => sum + size, 0);
        expect(bytes).toBeLessThanOrEqual(1_048_576);
        const [next] = batches[index + 1] ?? [];
        if (next !== undefined) expect(batch.length === 10 || bytes + next > 1_048_576).toBe(true);
      }
    }),
  );
});

test('an answer is taken apart by entry; one that it does not name is to be tried again', () => {
  const answer = { Successful: [{ Id: '2' }], Failed: [failed('InternalError', false)] };
  const outcomes = outcomesOf(3, answer, ofFailedReceipt);
  expect(outcomes).toMatchObject([
    { status: 'failed', retry: true },
    { status: 'failed', retry: true },
    { status: 'done' },
  ]);
  const nulls = { Successful: [{ Id: '0' }], Failed: null };
  expect(outcomesOf(1, nulls, ofFailedReceipt)).toEqual([{ status: 'done' }]);
  expect(outcomesOf(1, { Successful: null }, ofFailedReceipt)).toMatchObject([{ status: 'failed', retry: true }]);
});

test('what stands where a code should is not said', () => {
  for (const ofFailed of [ofFailedMessage, ofFailedReceipt]) {
    const outcome = ofFailed(failed('the body SECRET is wrong', true)) as { error: Error };
    expect(outcome.error.message).toBe('SQS answered an unknown error');
  }
});

test.each([
  'ReceiptHandleIsInvalid',
  'AWS.SimpleQueueService.MessageNotInflight',
  'com.amazonaws.sqs#ReceiptHandleIsInvalid',
  'InvalidParameterValue',
])('a receipt refused with %s is expired', (code) =>
  expect(ofFailedReceipt(failed(code, true))).toEqual({ status: 'expired' }),
);

test.each([
  ['InternalError', false, true],
  ['RequestThrottled', true, true],
  ['KMS.ThrottlingException', true, true],
  ['KMS.DisabledException', true, true],
  ['AccessDenied', true, true],
  ['ServiceUnavailable', false, true],
  ['InvalidMessageContents', true, false],
  ['AWS.SimpleQueueService.UnsupportedOperation', true, false],
])('a message refused with %s (fault of the sender: %s) is tried again: %s', (code, fault, retry) => {
  const outcome = ofFailedMessage(failed(code, fault));
  expect(outcome).toMatchObject({ status: 'failed', retry });
  expect((outcome as { error: Error }).error instanceof Unavailable).toBe(retry);
});
