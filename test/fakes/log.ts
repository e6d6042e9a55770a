import { Writable } from 'node:stream';

import { pino, type Logger } from 'pino';

/** A log that is kept: what was said, line by line. */
export function keptLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { log: pino({ base: null }, stream), lines };
}
