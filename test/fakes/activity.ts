import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Runs an activity's code as Temporal would: as this attempt, until the signal; `beats` gets what it tells. */
export function asActivity<Result>(
  work: () => Promise<Result>,
  {
    attempt = 1,
    signal = new AbortController().signal,
    beats = [],
  }: { attempt?: number; signal?: AbortSignal; beats?: unknown[] } = {},
): Promise<Result> {
  const context = {
    heartbeat: (details: unknown) => beats.push(details),
    cancellationSignal: signal,
    info: { attempt },
  };
  return asyncLocalStorage.run(context as unknown as Context, work);
}
