/**
 * Aborts at the first SIGINT or SIGTERM; repeats are ignored, since a terminal and a supervisor may both send one. A
 * supervised process also ends when its stdin does: then whoever started it is gone.
 */
export function stopSignal(supervised = false): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  if (supervised) process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
  return controller.signal;
}
