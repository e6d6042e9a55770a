import { once } from 'node:events';

import { describeError, CatchmentError, ConfigError } from '../errors.js';

/** What every command takes; see `addCommonOptions`. */
export interface CommonOptions {
  readonly config?: string;
  readonly dir?: string;
  readonly json?: true;
  readonly debug?: true;
}

/** Done; what was asked for failed or does not hold; the call or the config is wrong. */
export const exitStatus = { done: 0, failed: 1, wrong: 2 } as const;

/** What a command answers on stdout: one JSON document with `--json`, else text for a person. */
export function answer(options: CommonOptions, document: unknown, text: () => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(document)}\n` : withLineFeed(text()));
}

/** What happens meanwhile, on stderr. */
export function note(text: string): void {
  process.stderr.write(withLineFeed(text));
}

/** For what is tried again and again: a part that is down fails many times a second, and one note in 10 s is enough. */
export function throttledNote(what: string): (error: Error) => void {
  let last = 0;
  return (error) => {
    if (Date.now() - last < 10_000) return;
    last = Date.now();
    note(`${what}: ${describeError(error)}`);
  };
}

/** One of many lines on stdout; resolves when there is room for the next, or will never be. */
export async function line(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain').catch(() => undefined);
}

/** Aborted when nobody reads stdout any more: who pipes into `head` has seen enough, which is no error. */
export function stdoutClosed(): AbortSignal {
  const closed = new AbortController();
  process.stdout.on('error', () => closed.abort());
  return closed.signal;
}

/** The command did what it does, and what it was asked about does not hold. */
export function doesNotHold(): void {
  process.exitCode = exitStatus.failed;
}

/** Says what went wrong, the stack only with `--debug`, and gives the exit status. */
export function reportError(error: unknown, options: Pick<CommonOptions, 'json' | 'debug'>): number {
  const message = describeError(error);
  if (options.json === true) {
    const type = error instanceof CatchmentError ? error.name : 'Error';
    const where = error instanceof CatchmentError ? error.where : {};
    process.stdout.write(`${JSON.stringify({ error: { type, message, where } })}\n`);
  } else note(`error: ${message}`);
  if (options.debug === true && error instanceof Error) note(error.stack ?? '');
  else if (!(error instanceof CatchmentError)) note('--debug shows where this happened');
  return error instanceof ConfigError ? exitStatus.wrong : exitStatus.failed;
}

/** Resolves when a pipe has taken all that was written: `process.exit` would cut it off. */
export async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('error', () => {
      resolve();
    });
    stream.write('', () => {
      resolve();
    });
  });
}

function withLineFeed(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
