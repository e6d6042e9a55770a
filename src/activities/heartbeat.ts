import { Context } from '@temporalio/activity';

/**
 * Beats while the work lasts, so that a dead process is noticed in seconds and a long load is not taken for one. What the
 * work tells of how far it is, names and counts alone, is shown in the UI while the activity is pending.
 */
export async function withHeartbeat<Result>(
  work: (signal: AbortSignal, tell: (progress: string) => void) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  let progress: string | undefined;
  const beat = (): void => context.heartbeat(progress);
  const timer = setInterval(beat, 3_000);
  try {
    return await work(context.cancellationSignal, (told) => {
      progress = told;
      beat();
    });
  } finally {
    clearInterval(timer);
  }
}
