import { pino, type Logger } from 'pino';

import { describeError } from './errors.js';

export type { Logger };

/** JSON lines on stderr: stdout is for answers. Names and counts only; errors by `describeError`. */
export function createLogger(part: string): Logger {
  return pino(
    { base: { part, pid: process.pid }, level: process.env.CATCHMENT_LOG_LEVEL ?? 'info' },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** How an error is logged: no stack, no foreign cause. */
export function logged(error: unknown): { error: string } {
  return { error: describeError(error) };
}
