import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import { localQueue } from '../../src/providers/local/queue.js';
import type { Message } from '../../src/providers/queue.js';
import type { ReconcileReport } from '../../src/reconcile/report.js';
import { encodeReference } from '../../src/references.js';
import { encodeBatch } from '../../src/starter/encode.js';
import { readLake } from '../faults/judge-lake.js';
import { runCli } from '../run-cli.js';
import { until } from '../until.js';
import { hostileMessages, type Expected } from './hostile-messages.js';
import { PipelineFolder } from './pipeline-folder.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts', lease: '2s', reconcileEvery: '3s' });
`;
/** One takes every event whatever it is; one has a contract; one keeps the JSON as it is, where there is any. */
const tables = `import { createHash } from 'node:crypto';
import { defineTable } from 'catchment';
import { z } from 'zod';

export const everything = defineTable('everything', {
  row: z.object({ id_sha256: z.string(), body_sha256: z.string(), attributes: z.record(z.string(), z.string()) }),
  rows: (_json, { event }) => ({
    id_sha256: createHash('sha256').update(event.id).digest('hex'),
    body_sha256: createHash('sha256').update(event.body).digest('hex'),
    attributes: Object.fromEntries(Object.entries(event.attributes).filter(([name]) => name !== '__proto__')),
  }),
});
export const contract = defineTable('contract', {
  event: z.object({ n: z.number() }),
  row: z.object({ n: z.int() }),
  rows: ({ n }) => ({ n }),
});
export const json = defineTable('json', { row: z.object({ it: z.unknown() }), rows: (it) => ({ it }) });
`;
const names = ['everything', 'contract', 'json'] as const;

const minutes = 60_000;
const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
/** What tells one event from another; equal for a copy. */
const keyOf = ({ id, attributes, body }: Pick<Expected, 'id' | 'attributes' | 'body'>): string =>
  sha256(JSON.stringify([id, sha256(body), body.length === 0 ? attributes : '']));

const { messages, events } = hostileMessages();
let distinct: Map<string, Expected>;
let pipeline: PipelineFolder;
/** What was stored then is owed, and soon overdue. */
let started: Date;

beforeAll(async () => {
  distinct = new Map(events.map((event) => [keyOf(event), event]));
  pipeline = new PipelineFolder();
  await pipeline.open({ 'catchment.config.ts': config, 'tables.ts': tables });
  await pipeline.run('migrate');
  started = new Date();
  pipeline.start('worker');
  pipeline.start('poll');
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

/** Every event of `distinct` is a row or a rejection in each table, and there is nothing else. */
async function allSettled(): Promise<void> {
  const sums = names
    .map(
      (table) =>
        `(SELECT count(*) FROM ${table}), (SELECT count(*) FROM catchment_rejected WHERE table_name = '${table}')`,
    )
    .join(', ');
  await until(
    'a row or a rejection of each event',
    async () => {
      const [row] = await pipeline.query(`SELECT ${sums}`);
      const counts = Object.values(row!).map(Number);
      return names.every((_, index) => counts[2 * index]! + counts[2 * index + 1]! >= distinct.size);
    },
    2 * minutes,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${pipeline.output}`);
  });
}

async function report(): Promise<ReconcileReport> {
  const { stdout, stderr } = await runCli(
    ['reconcile', '--json', '--config', pipeline.dir, '--dir', pipeline.dir],
    pipeline.dir,
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ReconcileReport;
}

async function ring(...doorbells: Message[]): Promise<void> {
  const secondary = localQueue().open({ pipeline: 'test', dataDir: pipeline.dataDir, part: 'secondary' });
  try {
    for (const outcome of await secondary.send(doorbells)) expect(outcome).toEqual({ status: 'done' });
  } finally {
    await secondary.close();
  }
}

test(
  'whatever is sent is in the lake byte for byte, and a row or a rejection in each table',
  async () => {
    await ring(
      ...['', '{}', 'null', '\0\ufffe', '{"v":1}', '['.repeat(100_000)].map((body) => ({
        body: Buffer.from(body),
        attributes: {},
      })),
    );
    for (const outcome of await pipeline.withSource((queue) => queue.send(messages)))
      expect(outcome).toEqual({ status: 'done' });
    await allSettled();

    const objects = readLake(join(pipeline.dataDir, 'lake'));
    expect(objects.flatMap(({ damage }) => damage ?? [])).toEqual([]);
    const stored = new Map(objects.flatMap((object) => object.events).map((event) => [keyOf(event), event]));
    for (const [key, { what, id, attributes, body }] of distinct) {
      const found = stored.get(key);
      // The body by a comparison: to print megabytes takes minutes.
      expect({ what, found: found !== undefined }).toEqual({ what, found: true });
      const same = Buffer.compare(found!.body, body) === 0;
      const { 'catchment-id': _own, ...others } = attributes;
      const expected = 'catchment-packed' in attributes ? attributes : others;
      expect({ what, id: found!.id, same, attributes: Object.entries(found!.attributes).sort() }).toEqual({
        what,
        id,
        same: true,
        attributes: Object.entries(expected).sort(),
      });
    }
    expect(stored.size).toBe(distinct.size);
  },
  4 * minutes,
);

test(
  'in the table that takes everything each event once, by the bytes of its body',
  async () => {
    const rows = await pipeline.query('SELECT id_sha256, body_sha256 FROM everything');
    const pairs = rows.map(({ id_sha256, body_sha256 }) => `${String(id_sha256)} ${String(body_sha256)}`);
    expect(pairs.sort()).toEqual([...distinct.values()].map(({ id, body }) => `${sha256(id)} ${sha256(body)}`).sort());
  },
  minutes,
);

test(
  'in the table with a contract exactly a row or a rejection each, with the reason',
  async () => {
    const found = await pipeline.query(`
      SELECT e.id_sha256, e.body_sha256, c.n, r.reason FROM everything e
        LEFT JOIN contract c ON c._event_key = e._event_key
        LEFT JOIN catchment_rejected r ON r.event_key = e._event_key AND r.table_name = 'contract'`);
    expect(found).toHaveLength(distinct.size);
    const outcomes = new Map<string, { n: unknown; reason: unknown }[]>();
    for (const { id_sha256, body_sha256, n, reason } of found) {
      const key = `${String(id_sha256)} ${String(body_sha256)}`;
      outcomes.set(key, [...(outcomes.get(key) ?? []), { n: n === null ? null : Number(n), reason }]);
    }
    for (const { what, id, body, becomes } of distinct.values()) {
      for (const { n, reason } of outcomes.get(`${sha256(id)} ${sha256(body)}`)!) {
        if (typeof becomes === 'number') expect({ what, n, reason }).toEqual({ what, n: becomes, reason: null });
        else expect({ what, n, reason }).toEqual({ what, n: null, reason: expect.stringMatching(becomes) as unknown });
      }
    }
  },
  minutes,
);

test(
  'a lake object that is cut short, or gone, is not ok until it is there again',
  async () => {
    const made = await Promise.all(
      [20, 21].map(async (n) => {
        const batch = newId();
        const event = {
          what: 'later',
          id: newId(),
          attributes: {},
          body: Buffer.from(JSON.stringify({ n })),
          becomes: n,
        };
        distinct.set(keyOf(event), event);
        const deliveries = [{ ...event, sentAt: new Date() }];
        const { body, sha256: hash } = await encodeBatch({ source: 'app', batch, dedupeMs: 1_000, deliveries });
        const key = objectKey({ source: 'app', batch, events: 1, hash: hash.slice(0, 32) });
        const lake = pipeline.lake.uri;
        const reference = {
          v: 1 as const,
          pipeline: 'test',
          lake,
          key,
          batch,
          sha256: hash,
          events: 1,
          bytes: body.length,
        };
        return { body, file: join(pipeline.dataDir, 'lake', key), reference };
      }),
    );
    const [cut] = made as [(typeof made)[0], ...typeof made];
    const store = (file: string, body: Uint8Array): void => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, body);
      utimesSync(file, started, started);
    };
    store(cut.file, cut.body.subarray(0, cut.body.length - 5));
    await ring(...made.map(({ reference }) => ({ body: encodeReference(reference), attributes: {} })));
    const broken = await until(
      'both named unreadable',
      async () => {
        const now = await report();
        return names.every((name) => now.tables[name]!.objectsUnreadable === 2) && now;
      },
      2 * minutes,
    );
    expect(broken.ok).toBe(false);

    rmSync(cut.file);
    for (const { file, body } of made) store(file, body);
    await until(
      'ok again',
      async () => {
        const now = await report();
        return now.ok && now.objects.underWay === 0;
      },
      2 * minutes,
    );
    await allSettled();
  },
  5 * minutes,
);

test(
  'reconcile proves it, with the copies and the conflicts counted',
  async () => {
    const proved = await report();
    const conflicts = 2;
    expect(proved).toMatchObject({ ok: true, objects: { underWay: 0 } });
    expect(proved.tables).toMatchObject({
      everything: { rows: distinct.size, rejected: 0, conflicts, objectsUnreadable: 0, rowsTwice: 0 },
      contract: { objectsMissing: 0, objectsUnreadable: 0, rowsTwice: 0 },
    });
    for (const name of names) {
      const { rows, rejected, events: counted, duplicates } = proved.tables[name]!;
      expect({ name, sum: rows + rejected }).toEqual({ name, sum: distinct.size });
      expect({ name, sum: counted - duplicates }).toEqual({ name, sum: distinct.size });
    }
  },
  minutes,
);
