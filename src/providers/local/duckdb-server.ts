import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { CatchmentError, describeError, RowsRefused } from '../../errors.js';
import { callNames, changing, type CallName, type Calls, type Line, type ToldError } from './duckdb-calls.js';

/** How often a caller that waits is told that its call goes on. */
const stillAtItMs = 2_000;
/** How long an owner that closes waits for the others' calls, in milliseconds. */
const graceMs = 2_000;

export interface Serving {
  /** Calls under way. */
  active(): number;
  /** Takes no further call, and resolves when all have been answered or broken off: who called asks the next owner. */
  close(): Promise<void>;
}

/**
 * Answers the calls of other processes at the Unix socket `path`. `yields` is asked before a call that changes tables:
 * true where the database would be better off with the caller.
 */
export async function serve(
  path: string,
  calls: (signal: AbortSignal) => Promise<Calls>,
  yields: () => boolean,
): Promise<Serving> {
  const answers = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const answered = answer(request, response, calls, yields).finally(() => answers.delete(answered));
    answers.add(answered);
  });
  server.listen(path);
  await once(server, 'listening');
  // A process that has nothing else to do ends, though it did not close its warehouse.
  server.unref();
  return {
    active: () => answers.size,
    async close() {
      await closed(server);
      // What was broken off is still being rolled back.
      await Promise.all(answers);
    },
  };
}

async function closed(server: Server): Promise<void> {
  const end = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const enough = setTimeout(() => server.closeAllConnections(), graceMs);
  await end;
  clearTimeout(enough);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  callsFor: (signal: AbortSignal) => Promise<Calls>,
  yields: () => boolean,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.flushHeaders();
  const stillAtIt = setInterval(() => response.write('\n'), stillAtItMs);
  const send = async (line: Line) => {
    if (response.write(`${JSON.stringify(line)}\n`) || gone.signal.aborted) return;
    await once(response, 'drain', { signal: gone.signal });
  };
  try {
    const call = (request.url ?? '').slice(1);
    const args = JSON.parse(await text(request)) as unknown[];
    if (!callNames.has(call)) throw new CatchmentError(`the process that has the warehouse open knows no call ${call}`);
    if (changing.has(call) && yields()) await send({ yielded: true });
    else await answerCall(await callsFor(gone.signal), call as CallName, args, send);
  } catch (error) {
    if (!gone.signal.aborted) await send({ error: told(error) }).catch(() => undefined);
  } finally {
    clearInterval(stillAtIt);
    response.end();
  }
}

async function answerCall(
  calls: Calls,
  name: CallName,
  args: unknown[],
  send: (line: Line) => Promise<void>,
): Promise<void> {
  const result = (calls[name] as (...args: unknown[]) => unknown)(...args);
  if (name === 'query') {
    for await (const row of result as ReturnType<Calls['query']>) await send({ row });
    await send({ value: null });
  } else await send({ value: (await result) ?? null });
}

function told(error: unknown): ToldError {
  if (!(error instanceof CatchmentError)) return { name: 'CatchmentError', message: describeError(error), where: {} };
  const { name, message, where } = error;
  return { name, message, where, ...(error instanceof RowsRefused && { lines: error.lines }) };
}
