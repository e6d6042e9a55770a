import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a child that ended is left down, doubling up to `longestMs`; from `firstMs` again once it ran for `steadyMs`. */
interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly steadyMs: number;
}

const defaultBackoff: Backoff = { firstMs: 200, longestMs: 10_000, steadyMs: 10_000 };

export interface Supervised {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly backoff?: Backoff;
  /** It was started, or started again. */
  readonly onStart?: (pid: number) => void;
  /** A line of the child's stdout or stderr. */
  readonly onLine: (line: string) => void;
  /** It ended unasked: how, and in how many milliseconds it is started again. */
  readonly onEnd: (how: string, restartInMs: number) => void;
}

export interface Supervisor {
  readonly name: string;
  /** Undefined while it is down. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** Asks the child to end: closes its stdin and sends SIGTERM, once. Resolves when it is gone, however long that takes. */
  stop(): Promise<void>;
  /** SIGKILL, to the child and its process group. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGKILL and a fresh start, for a child that is up but does not answer. */
  replace(): void;
}

/**
 * Keeps a child process running. The child is in a process group of its own, so that a Ctrl-C at the terminal reaches
 * only its parent, which ends its children in their order. Its stdin is a pipe that closes when this process is gone,
 * however it went: the child must end then.
 */
export function supervise(what: Supervised): Supervisor {
  const backoff = what.backoff ?? defaultBackoff;
  let child: ChildProcess | undefined;
  let gone = Promise.resolve();
  let failures = 0;
  let restarts = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;

  const start = (): void => {
    const startedAt = Date.now();
    const started = spawn(what.command, what.args, {
      stdio: 'pipe',
      detached: true,
      ...(what.env && { env: what.env }),
    });
    child = started;
    if (started.pid !== undefined) what.onStart?.(started.pid);
    started.stdin.on('error', () => undefined); // it ended before it was asked to
    const output = Promise.all([readLines(started.stdout, what.onLine), readLines(started.stderr, what.onLine)]);
    gone = ended(started).then(async (how) => {
      // The last words come before the news of the end; but a grandchild may hold the pipes open for ever.
      await Promise.race([output, sleep(500, undefined, { ref: false })]);
      child = undefined;
      if (stopping) return;
      if (Date.now() - startedAt >= backoff.steadyMs) failures = 0;
      const restartInMs = Math.min(backoff.firstMs * 2 ** failures, backoff.longestMs);
      failures += 1;
      timer = setTimeout(() => {
        restarts += 1;
        start();
      }, restartInMs);
      what.onEnd(how, restartInMs);
    });
  };
  const killGroup = (): void => {
    if (child?.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // gone already
    }
  };
  start();

  return {
    name: what.name,
    get pid() {
      return child?.pid;
    },
    get restarts() {
      return restarts;
    },
    stop() {
      if (!stopping) {
        stopping = true;
        clearTimeout(timer);
        child?.stdin?.end();
        child?.kill('SIGTERM');
      }
      return gone;
    },
    kill() {
      stopping = true;
      clearTimeout(timer);
      killGroup();
      return gone;
    },
    replace: killGroup,
  };
}

/** Resolves with how it ended; a command that cannot be run ends too. */
function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(`could not be started (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`),
    );
    child.once('exit', (status, signal) =>
      resolve(signal === null ? `ended with status ${status ?? '?'}` : `was ended by ${signal}`),
    );
  });
}

function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => createInterface({ input: stream }).on('line', onLine).on('close', resolve));
}
