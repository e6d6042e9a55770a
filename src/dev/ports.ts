import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

import { Occupied } from '../errors.js';

const host = '127.0.0.1';

/** What the user asked for: a port, 0 for a free one, or nothing. */
export interface PortWish {
  readonly flag: string;
  readonly asked: number | undefined;
  /** Taken where nothing was asked, if it is free. */
  readonly usual: number;
}

/**
 * A port for each wish, to keep through restarts of its server. Throws `Occupied` where the port that was asked for is
 * taken; the usual one gives way to a free one, since a second project may well be running.
 */
export async function choosePorts(wishes: readonly PortWish[], say: (line: string) => void): Promise<number[]> {
  const chosen: number[] = [];
  for (const { flag, asked, usual } of wishes) {
    const port = asked ?? usual;
    if (port !== 0 && !chosen.includes(port) && (await isFree(port))) {
      chosen.push(port);
      continue;
    }
    if (asked !== undefined && asked !== 0)
      throw new Occupied(`${flag} ${port}: the port is taken; name another, or 0 for a free one`);
    const free = await freePort(chosen);
    if (asked === undefined) say(`Port ${port} is taken, ${free} serves instead (${flag} names another)`);
    chosen.push(free);
  }
  return chosen;
}

/** Below the range that systems hand out to outgoing connections: one of those could sit on the port while its server restarts. */
export async function freePort(besides: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (!besides.includes(port) && (await isFree(port))) return port;
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
