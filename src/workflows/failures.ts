import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';

/** What an activity itself said, and its failure's type. */
export interface Failure {
  readonly message: string;
  readonly type?: string;
}

/** A cancellation or a bug of ours is no activity's failure: thrown on. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return { message: cause?.message ?? error.message };
  return { message: cause.message, ...(typeof cause.type === 'string' && { type: cause.type }) };
}
