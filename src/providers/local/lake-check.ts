import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { describeError } from '../../errors.js';
import type { Lake } from '../lake.js';
import type { Finding } from '../queue.js';

const gigabyte = 1_000_000_000;
const littleSpace = 5 * gigabyte;
const tooLittleSpace = gigabyte / 10;

/** Whether objects can be written, read, listed and removed, and whether there is room for more. Never throws. */
export async function checkFolderLake(lake: Lake, path: string): Promise<readonly Finding[]> {
  return [await checkRoundTrip(lake, path), await checkSpace(path)];
}

async function checkRoundTrip(lake: Lake, path: string): Promise<Finding> {
  const key = `check/${randomUUID()}`;
  try {
    await lake.put(key, Buffer.from(key));
    const read = await text(await lake.get(key));
    let listed = 0;
    for await (const _ of lake.list(key)) listed++;
    await lake.remove([key]);
    if (read === key && listed === 1) return { level: 'ok', what: `lake ${path}: writes, reads, lists and removes` };
    return {
      level: 'error',
      what: `lake ${path}: what was just written is not read or listed as it was`,
      remedy: 'put the lake on a local disk, or on a file system that shows a write as soon as it is done',
    };
  } catch (error) {
    return { level: 'error', what: `lake ${path}: ${describeError(error)}` };
  }
}

async function checkSpace(path: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(path);
    const free = bavail * bsize;
    const what = `lake ${path}: ${(free / gigabyte).toFixed(1)} GB free`;
    if (free >= littleSpace) return { level: 'ok', what };
    return {
      level: free < tooLittleSpace ? 'error' : 'warning',
      what,
      remedy: 'free some space on the disk, or move the lake',
    };
  } catch (error) {
    return { level: 'error', what: `lake ${path}: how much space is free cannot be read: ${describeError(error)}` };
  }
}
