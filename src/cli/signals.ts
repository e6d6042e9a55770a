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

/** `npx` repeats the SIGINT that the terminal sent to this process too: within this time it is the same one. */
const sameMs = 500;

/** Aborts at the first SIGINT or SIGTERM, so that what is under way is finished; a second one ends the process. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
    setTimeout(() => process.off('SIGINT', stop).off('SIGTERM', stop), sameMs).unref();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return controller.signal;
}
