import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Runs an activity's code as Temporal would: as this attempt, until the signal. */
export function asActivity<Result>(
  work: () => Promise<Result>,
  { attempt = 1, signal = new AbortController().signal }: { attempt?: number; signal?: AbortSignal } = {},
): Promise<Result> {
  const context = { heartbeat: () => undefined, cancellationSignal: signal, info: { attempt } };
  return asyncLocalStorage.run(context as unknown as Context, work);
}
