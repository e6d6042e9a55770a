import { Unavailable, type CatchmentError } from '../../errors.js';
import type { Outcome } from '../queue.js';

export const done: Outcome = { status: 'done' };

export function ofFailure(error: CatchmentError): Outcome {
  return { status: 'failed', error, retry: error instanceof Unavailable };
}

/**
 * What became of each receipt of a call that failed: an exactly-once subscription names those that it did not take, with the
 * reason, in the error's details; the others are done. Undefined where it names none: then nothing was done, or may be.
 *
 * Google: Pub/Sub, "Exactly-once delivery": `PERMANENT_FAILURE_INVALID_ACK_ID`, `TRANSIENT_FAILURE_…`.
 */
export function ofNamedReceipts(error: unknown, receipts: readonly string[]): Outcome[] | undefined {
  const { errorInfoMetadata } = (error ?? {}) as { readonly errorInfoMetadata?: unknown };
  if (typeof errorInfoMetadata !== 'object' || errorInfoMetadata === null) return undefined;
  const reasons = errorInfoMetadata as Readonly<Record<string, unknown>>;
  const named = receipts.map((receipt) => (Object.hasOwn(reasons, receipt) ? String(reasons[receipt]) : undefined));
  // Other errors have such details too, with other names in them.
  if (named.every((reason) => reason === undefined)) return undefined;
  return named.map((reason) => {
    if (reason === undefined) return { status: 'done' };
    if (reason.startsWith('PERMANENT_FAILURE')) return { status: 'expired' };
    const shown = /^\w{1,80}$/.test(reason) ? reason : 'an unknown reason';
    return { status: 'failed', error: new Unavailable(`Pub/Sub did not take a receipt: ${shown}`), retry: true };
  });
}
