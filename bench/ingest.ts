import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pLimit from 'p-limit';

import { loadSettings } from '../src/config/load.js';
import { newId } from '../src/ids.js';
import { parseObjectKey } from '../src/keys.js';
import { openParts, type Parts } from '../src/open.js';
import { single } from '../src/packing.js';
import type { Queue } from '../src/providers/queue.js';
import { createSender } from '../src/send/sender.js';
import { benchDir, type Contender } from './contenders.js';
import { everyProcess, gate, onStage, type Stage } from './drain.js';
import { attributes, bodies, fill } from './events.js';
import { longestRequestMs } from './pipeline/gate.js';
import { cpuSeconds, peakBytes } from './processes.js';
import { holdYardstick } from './yardstick.js';

export type Cloud = 'aws' | 'gcp';

export const cloudConfig = (cloud: Cloud): string => join(benchDir, 'pipeline', `${cloud}.config.ts`);

/** How events come: many in a message, as Catchment's own senders do, or each in its own, as any producer does. */
type Sent = 'packed' | 'one a message';

export interface IngestResult {
  readonly name: Contender['name'];
  readonly sent: Sent;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** CPU seconds per 100,000 events, by process, the stand-ins' too. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Of our own processes, Temporal's server left out. */
  readonly cpuOfClient: number;
  readonly eventsPerObject: number;
  readonly peakMB: Readonly<Record<string, number>>;
  readonly yardstickMs: number;
}

/** The stand-ins' processes, by name, to be measured beside. */
type Services = Readonly<Record<string, number>>;

interface IngestLoad {
  readonly sent: Sent;
  readonly events: number;
  readonly bytes: number;
  readonly warmUp: number;
}

/** Packed events cost a tenth: as many more of them take as long. */
export const ingestLoads: Readonly<Record<Sent, IngestLoad>> = {
  packed: { sent: 'packed', events: 1_000_000, bytes: 1_024, warmUp: 100_000 },
  'one a message': { sent: 'one a message', events: 100_000, bytes: 1_024, warmUp: 20_000 },
};

const standstillMs = 60_000;
const sendsAtOnce = 16;

/**
 * From the source queue into the lake: the clock runs from the opening of the gate until every event is in the lake, its
 * object's reference on the secondary queue, and its message deleted. Nothing is loaded.
 */
export async function ingest(
  start: (dir: string) => Promise<Contender>,
  cloud: Cloud,
  services: Services,
  { sent, events, bytes, warmUp }: IngestLoad,
): Promise<IngestResult> {
  process.env['BENCH_RUN'] = randomUUID();
  const run = async ({ dir, parts, open }: Stage, contender: Contender): Promise<IngestResult> => {
    const { app } = parts.sources as { app: Queue };
    const next = bodies(bytes);
    open();
    await send(app, sent, warmUp, next);
    const objectsBefore = await stored(parts, warmUp);
    rmSync(gate(dir));
    await sleep(longestRequestMs + 1_500);
    await send(app, sent, events, next);

    const measured = { ...contender, processes: { ...contender.processes, ...services } };
    const yardstick = holdYardstick();
    const before = everyProcess(measured, cpuSeconds);
    const began = performance.now();
    open();
    const objects = (await stored(parts, warmUp + events)) - objectsBefore;
    const seconds = (performance.now() - began) / 1_000;
    const after = everyProcess(measured, cpuSeconds);
    const cpu = everyProcess(measured, (_, name) => ((after[name]! - before[name]!) * 100_000) / events);
    const ours = Object.keys(contender.processes).filter((name) => name !== 'server');
    return {
      name: contender.name,
      sent,
      events,
      seconds,
      eventsPerSecond: events / seconds,
      cpu,
      cpuOfClient: ours.reduce((sum, name) => sum + cpu[name]!, 0),
      eventsPerObject: events / objects,
      peakMB: everyProcess(contender, (pid) => peakBytes(pid) / 1e6),
      yardstickMs: yardstick.take(),
    };
  };
  return onStage(
    async (dir) => {
      await provision(dir, cloud);
      return start(dir);
    },
    run,
    cloudConfig(cloud),
  );
}

async function send(queue: Queue, sent: Sent, events: number, next: () => Uint8Array): Promise<void> {
  if (sent === 'packed') return fill(createSender(queue, { attributes }), events, next);
  const limit = pLimit(sendsAtOnce);
  const calls = Array.from({ length: Math.ceil(events / 100) }, (_, call) =>
    limit(async () => {
      const count = Math.min(100, events - call * 100);
      const messages = Array.from({ length: count }, () => single({ id: newId(), attributes, body: next() }));
      const outcomes = await queue.send(messages);
      if (outcomes.some(({ status }) => status !== 'done')) throw new Error('an event was not sent');
    }),
  );
  await Promise.all(calls);
}

/** Resolves with the number of objects once that many events are in them, each has rung, and no message is left. */
async function stored(parts: Parts, events: number): Promise<number> {
  let [most, since] = [0, performance.now()];
  for (;;) {
    const { waiting, leased } = await parts.sources['app']!.backlog();
    if (waiting + leased === 0) {
      const found = await countLake(parts);
      const rung = await parts.secondary.backlog();
      if (found.events === events && rung.waiting === found.objects) return found.objects;
      if (found.events > events) throw new Error(`${found.events} events are in the lake, ${events} were sent`);
      if (found.events > most) [most, since] = [found.events, performance.now()];
      if (performance.now() - since > standstillMs)
        throw new Error(`${found.events} of ${events} events are in the lake, and no more come`);
    }
    await sleep(100);
  }
}

async function countLake({ lake }: Parts): Promise<{ objects: number; events: number }> {
  const found = { objects: 0, events: 0 };
  for await (const { key } of lake.list('raw/app/')) {
    found.objects++;
    found.events += parseObjectKey(key)!.events;
  }
  return found;
}

async function provision(dir: string, cloud: Cloud): Promise<void> {
  const settings = await loadSettings({ config: cloudConfig(cloud), dir });
  const parts = openParts(settings);
  const { sources, secondary, lake } = parts;
  for (const queue of [sources['app']!, secondary]) await queue.provision!('apply', settings);
  await lake.provision!('apply');
  await parts.close();
}
