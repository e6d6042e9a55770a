import { buffer } from 'node:stream/consumers';

import pLimit from 'p-limit';

import type { Lake, LakeObject } from '../../src/providers/lake.js';

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export async function all(objects: AsyncIterable<LakeObject>): Promise<LakeObject[]> {
  const list: LakeObject[] = [];
  for await (const object of objects) list.push(object);
  return list;
}

export async function keysOf(lake: Lake, prefix: string, after?: string): Promise<string[]> {
  return (await all(lake.list(prefix, after))).map(({ key }) => key);
}

export async function expectBody(lake: Lake, key: string, body: Uint8Array): Promise<void> {
  const read = await buffer(await lake.get(key));
  // Not toEqual, which takes seconds for megabytes and would print them.
  expect({ key, bytes: read.length, same: read.equals(body) }).toEqual({ key, bytes: body.length, same: true });
}

export function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  at = 16,
): Promise<Result[]> {
  return pLimit(at).map(items, work);
}
