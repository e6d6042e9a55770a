/** How a process is asked to end. */
export interface StopSignals {
  /** Aborted at the first request: finish what is under way. */
  readonly drain: AbortSignal;
  /** Aborted at a second Ctrl-C: stop at once. */
  readonly now: AbortSignal;
}

/** `npx` and `npm` pass on the SIGINT that the terminal sent to this process too: within this time it is the same one. */
const sameMs = 500;

/** Listens for Ctrl-C, SIGTERM, a closed terminal and, where `stdin` is given (a parent's pipe), its end. */
export function stopSignals(stdin?: NodeJS.ReadStream): StopSignals {
  const drain = new AbortController();
  const now = new AbortController();
  let firstAt: number | undefined;
  const first = (): void => {
    firstAt ??= Date.now();
    drain.abort();
  };
  const interrupt = (): void => {
    if (firstAt !== undefined && Date.now() - firstAt > sameMs) now.abort();
    first();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', first).on('SIGHUP', first);
  stdin?.on('end', first).on('error', first).resume();
  return { drain: drain.signal, now: now.signal };
}
