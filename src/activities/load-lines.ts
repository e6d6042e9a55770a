import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';

import type { Lake } from '../providers/lake.js';
import type { StagedFile } from '../providers/warehouse.js';
import { splitLines } from '../send/lines.js';
import { stageFile } from './plans.js';
import { readNamed } from './read-object.js';

const lineFeed = Buffer.from('\n');

/** The lines of a load file, some at a time: it is held compressed. Throws `LakeNotFound` or `LakeCorrupt`. */
export async function* readLines(staging: Lake, { key, sha256 }: StagedFile): AsyncGenerator<Buffer[]> {
  const unzipped = Readable.from([await readNamed(staging, key, sha256)]).pipe(createGunzip());
  for await (const lines of splitLines(unzipped, Infinity)) yield lines.map(({ bytes }) => Buffer.from(bytes!));
}

/** Stages the lines as a load file; undefined where there is none. */
export async function stageLines(
  staging: Lake,
  key: string,
  lines: () => AsyncIterable<readonly Uint8Array[]>,
): Promise<StagedFile | undefined> {
  let count = 0;
  const chunks: Buffer[] = [];
  await pipeline(
    async function* () {
      for await (const part of lines()) {
        count += part.length;
        yield Buffer.concat(part.flatMap((line) => [line, lineFeed]));
      }
    },
    createGzip({ level: constants.Z_BEST_SPEED }),
    async (zipped: AsyncIterable<Buffer>) => {
      for await (const chunk of zipped) chunks.push(chunk);
    },
  );
  return count > 0 ? stageFile(staging, key, Buffer.concat(chunks)) : undefined;
}

/** The event that a line of a rows file is of. */
export function eventOf(line: Buffer): string {
  return (JSON.parse(line.toString('utf8')) as { _event_key: string })._event_key;
}
