import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Unavailable, type Lake, type Place, type Provider, type Warehouse } from 'catchment';

import { altered } from './altered.js';

/** What is wrong with a part, for all processes, for as long as its file is there. */
export type Outage = 'away' | 'hangs' | 'slow' | 'takes nothing' | 'gives nothing';
type Part = 'lake' | 'warehouse';

const fileOf = (dataDir: string, part: string): string => join(dataDir, 'outages', part);

export function begin(dataDir: string, part: Part, outage: Outage): void {
  const file = fileOf(dataDir, part);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, outage);
}

export function end(dataDir: string, part: Part): void {
  rmSync(fileOf(dataDir, part));
}

/** Passes at once, late, or not at all. What hangs does so until it is aborted, or the part is back and does not know of it. */
async function pass({ dataDir, part }: Place, call: 'takes' | 'gives', signal?: AbortSignal): Promise<void> {
  const file = fileOf(dataDir, part);
  const outage = existsSync(file) ? (readFileSync(file, 'utf8') as Outage) : undefined;
  if (outage === 'slow') await sleep(1_000 + 2_000 * Math.random());
  if (outage === 'away' || outage === `${call} nothing`) throw new Unavailable(`the ${part} does not answer`);
  if (outage !== 'hangs' || signal === undefined) return;
  while (existsSync(file) && !signal.aborted) await sleep(100);
  throw new Unavailable(`the ${part} broke the call off`);
}

export function outageLake(provider: Provider<Lake>): Provider<Lake> {
  return altered(provider, (lake, place) => ({
    async put(key, body) {
      await pass(place, 'takes');
      return lake.put(key, body);
    },
    async get(key) {
      await pass(place, 'gives');
      return lake.get(key);
    },
    async *list(prefix, after) {
      await pass(place, 'gives');
      yield* lake.list(prefix, after);
    },
    async remove(keys) {
      await pass(place, 'takes');
      return lake.remove(keys);
    },
  }));
}

export function outageWarehouse(provider: Provider<Warehouse>): Provider<Warehouse> {
  return altered(provider, (warehouse, place) => ({
    async migrate(...args) {
      await pass(place, 'takes');
      return warehouse.migrate(...args);
    },
    async probe(load, staging, signal) {
      await pass(place, 'takes', signal);
      return warehouse.probe(load, staging, signal);
    },
    async load(load, staging, signal) {
      await pass(place, 'takes', signal);
      return warehouse.load(load, staging, signal);
    },
    async owesFrom(...args) {
      await pass(place, 'gives');
      return warehouse.owesFrom(...args);
    },
    async missing(...args) {
      await pass(place, 'gives');
      return warehouse.missing(...args);
    },
    async rejections(...args) {
      await pass(place, 'gives');
      return warehouse.rejections(...args);
    },
    async audit(...args) {
      await pass(place, 'gives');
      return warehouse.audit(...args);
    },
  }));
}
