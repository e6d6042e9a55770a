import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { describeError, LakeNotFound } from '../errors.js';
import type { Lake } from './lake.js';
import type { Finding } from './queue.js';

export interface Probe {
  readonly lake: Lake;
  /** What the store calls the condition of a put: `If-None-Match`. */
  readonly condition: string;
  /** What else is to be seen of an object that was just written. */
  readonly look: (key: string) => Promise<readonly Finding[]>;
}

/**
 * Whether a bucket can be used, keeps what is put there and lets nothing be put over it, by an object out of the way. `isRead`:
 * nothing was wrong before the object was to be removed. Never throws.
 */
export async function probe(given: Probe): Promise<{ findings: Finding[]; isRead: boolean }> {
  const { lake } = given;
  const key = `check/${randomUUID()}`;
  const findings: Finding[] = [];
  const failed = (error: unknown): Finding => ({ level: 'error', what: `lake ${lake.uri}: ${describeError(error)}` });
  try {
    findings.push(...(await roundTrip(given, key)));
  } catch (error) {
    findings.push(failed(error));
  }
  const isRead = findings.length === 0;
  try {
    await lake.remove([key]);
    if (isRead) findings.push({ level: 'ok', what: `lake ${lake.uri}: writes once, reads, lists and removes` });
  } catch (error) {
    findings.push(failed(error));
  }
  return { findings, isRead };
}

async function roundTrip({ lake, condition, look }: Probe, key: string): Promise<Finding[]> {
  const wrong: Finding[] = [];
  await lake.put(key, Buffer.from(key));
  const second = await lake.put(key, Buffer.from(`another ${key}`));
  const read = await text(await lake.get(key)).catch((error: unknown) => {
    if (error instanceof LakeNotFound) return undefined;
    throw error;
  });
  if (second === 'written' || read === `another ${key}`)
    wrong.push({
      level: 'error',
      what: `lake ${lake.uri}: the store ignores ${condition}: a second put of a key replaced the first`,
      remedy: 'use a store with conditional writes, or a newer version of this one',
    });
  let listed = 0;
  for await (const _ of lake.list(key)) listed++;
  if ((read !== key && wrong.length === 0) || listed !== 1)
    wrong.push({
      level: 'error',
      what: `lake ${lake.uri}: what was just written is not read or listed as it was`,
      remedy: 'use a store that shows a write as soon as it is done',
    });
  return [...wrong, ...(await look(key))];
}
