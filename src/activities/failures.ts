import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import { CatchmentError, describeError, LakeCorrupt, RowsRefused, UserCodeError } from '../errors.js';

/** Errors that the same call can only meet again. */
const final = [LakeCorrupt, RowsRefused, UserCodeError];

/**
 * The failure that goes into a workflow's history: our own message and place, no foreign cause and no stack, since
 * either could hold bytes of an event.
 */
export function toFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const failure = ApplicationFailure.create({
    type: error instanceof CatchmentError ? error.name : 'Error',
    message: describeError(error),
    nonRetryable: final.some((type) => error instanceof type),
    details: error instanceof CatchmentError ? [error.where] : [],
  });
  failure.stack = '';
  return failure;
}

type Activity = (input: never) => Promise<unknown>;

/** Every activity fails with typed failures alone; a worker that shuts down keeps Temporal's own way of saying so. */
export function withTypedFailures<Activities extends object>(activities: Activities): Activities {
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, run]) => [
    name,
    async (input: never) => {
      try {
        return await run(input);
      } catch (error) {
        if (Context.current().cancellationSignal.aborted) await Context.current().cancelled;
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}
