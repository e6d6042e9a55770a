import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

import * as errors from '../../errors.js';
import type { CallName, Calls, Line, ToldError } from './duckdb-calls.js';

/** How long the owner may be silent, in milliseconds: it is stopped, or its machine sleeps. */
const silentMs = 30_000;

/** The owner ended before it answered, or does not listen yet: the same call may be made again, of its successor. */
export class OwnerGone extends errors.Unavailable {}

/** The calls, made of the process that listens at `path`. Rejects with the error that the owner met, or `OwnerGone`. */
export function callsOf(path: string, signal: AbortSignal): Calls {
  const ask =
    (name: CallName) =>
    async (...args: unknown[]): Promise<never> => {
      for await (const line of linesOf(path, name, args, signal)) if ('value' in line) return line.value as never;
      throw new OwnerGone('the process that had the warehouse open ended');
    };
  return {
    load: ask('load'),
    probe: ask('probe'),
    migrate: ask('migrate'),
    owesFrom: ask('owesFrom'),
    missing: ask('missing'),
    loaded: ask('loaded'),
    rejections: ask('rejections'),
    audit: ask('audit'),
    amend: ask('amend'),
    check: ask('check'),
    query: (sql) => rowsOf(linesOf(path, 'query', [sql], signal)),
  };
}

async function* rowsOf(lines: AsyncIterable<Line>): AsyncGenerator<Record<string, unknown>> {
  for await (const line of lines) {
    if ('value' in line) return;
    if ('row' in line) yield line.row;
  }
  throw new OwnerGone('the process that had the warehouse open ended in the middle of a query');
}

/** Ends early where the owner does; that the last line is there is the caller's to see. */
async function* linesOf(path: string, name: CallName, args: unknown[], signal: AbortSignal): AsyncGenerator<Line> {
  const asked = request({ socketPath: path, method: 'POST', path: `/${name}`, agent: false, timeout: silentMs });
  const heard = { silent: false };
  asked.on('error', () => undefined);
  asked.on('timeout', () => {
    heard.silent = true;
    asked.destroy();
  });
  const stop = () => asked.destroy();
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    asked.end(JSON.stringify(args));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    for await (const text of textLines(answer)) {
      if (text === '') continue;
      const told = JSON.parse(text) as Line;
      if ('error' in told) throw revived(told.error);
      if ('yielded' in told) throw new OwnerGone('the process that had the warehouse open lets go of it');
      // From now on the silence may be that of a consumer who takes their time.
      if ('row' in told) asked.setTimeout(0);
      yield told;
    }
  } catch (error) {
    if (error instanceof errors.CatchmentError) throw error;
    if (signal.aborted) throw new errors.Unavailable('given up: the caller no longer waits');
    if (heard.silent) {
      throw new errors.Unavailable(
        `the process that has the warehouse open has not answered for ${silentMs / 1_000} s`,
      );
    }
    throw new OwnerGone(`the process that had the warehouse open does not answer (${errors.describeError(error)})`);
  } finally {
    signal.removeEventListener('abort', stop);
    asked.destroy();
  }
}

/** Unlike `readline` this rejects where the stream breaks off; a last line without an end is left out. */
async function* textLines(stream: IncomingMessage): AsyncGenerator<string> {
  // What happens once we have left the stream concerns nobody.
  stream.on('error', () => undefined);
  let begun: string[] = [];
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    const [first, ...rest] = chunk.split('\n') as [string, ...string[]];
    begun.push(first);
    if (rest.length === 0) continue;
    yield begun.join('');
    begun = [rest.pop()!];
    yield* rest;
  }
}

const classes = new Map<string, typeof errors.CatchmentError>(
  Object.values(errors)
    .filter((value) => typeof value === 'function' && 'prototype' in value && value.prototype instanceof Error)
    .map((value) => [value.name, value as typeof errors.CatchmentError]),
);

function revived({ name, message, where, lines }: ToldError): Error {
  if (lines !== undefined) return new errors.RowsRefused(message, where, lines);
  return new (classes.get(name) ?? errors.CatchmentError)(message, where);
}
