import { z } from 'zod';

import { durationPattern, milliseconds, type Duration } from '../durations.js';
import { settingsOf } from '../problems.js';
import type { Lake } from '../providers/lake.js';
import type { PartKind, Provider } from '../providers/provider.js';
import type { Queue } from '../providers/queue.js';
import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';
import { documented, mandatory } from './documented.js';

/** In force where the config says nothing. `embedded`: all parts keep their data on this machine. */
export const defaults = {
  freshness: { embedded: '1s', otherwise: '60s' },
  lease: { embedded: '30s', otherwise: '5m' },
  patience: '10m',
  dedupe: '3d',
  survive: '3d',
  reconcileEvery: { leases: 2, otherwise: '1h' },
} as const;

const label = /^[a-z0-9-]{1,40}$/;

const provider = <Part>(wanted: PartKind, example: string) =>
  z
    .custom<Provider<Part>>(
      (value) => {
        const { name, open, kind = wanted } = (value ?? {}) as Partial<Provider<Part>>;
        return typeof name === 'string' && typeof open === 'function' && kind === wanted;
      },
      {
        error: ({ input }) => {
          const { kind } = (input ?? {}) as Partial<Provider<Part>>;
          return `is ${kind === undefined ? 'no provider' : `a ${kind}, and no ${wanted}`}; write a call such as ${example}`;
        },
      },
    )
    .optional();

type Default = Duration | { readonly embedded: Duration; readonly otherwise: Duration };

const describeDefault = (value: Default): string =>
  typeof value === 'string' ? value : `${value.embedded} embedded, ${value.otherwise} otherwise`;

const duration = (example: Duration, doc: { least: Duration; default: string; what: string; change: string }) =>
  z
    .string(`is no duration; write a text such as '${example}'`)
    .regex(durationPattern, 'is no duration; write 500ms, 90s, 10m, 12h or 3d')
    .transform((text) => milliseconds(text, 'duration'))
    .refine((ms) => ms >= milliseconds(doc.least, 'least'), `is too short; write at least '${doc.least}'`)
    .optional()
    .register(documented, { unit: 'duration', ...doc });

/** By form, not by identity: another copy of this package may have made it. */
export const isTable = (value: unknown): value is Table => {
  const { shape, problems } = (value ?? {}) as Partial<Table>;
  return typeof shape === 'object' && Array.isArray(problems);
};

const tables = z.custom<string | readonly Table[]>(
  (value) => (typeof value === 'string' && value !== '') || (Array.isArray(value) && value.every(isTable)),
  "are no tables; write the path of a file that exports them, './tables.ts', or an array of what defineTable returns",
);

export const configSchema = settingsOf(
  {
    pipeline: z
      .string("a pipeline needs a name; write pipeline: 'app'")
      .regex(label, 'is no name of a pipeline; write one of a-z, 0-9 and -, at most 40 long')
      .register(documented, {
        what: 'names the pipeline in Temporal, in references and to people',
        unit: 'name, `[a-z0-9-]{1,40}`',
        default: mandatory,
        change: 'best never: references and workflows of the old name are not taken for its own any more',
      }),
    sources: z
      .record(z.string().regex(label), provider<Queue>('queue', 'localQueue()').unwrap(), {
        error: ({ code }) =>
          code === 'invalid_key'
            ? 'is no name of a source; write one of a-z, 0-9 and -, at most 40 long'
            : 'are no sources; write sources: { app: localQueue() }',
      })
      .refine((sources) => Object.keys(sources).length > 0, 'are empty; write sources: { app: localQueue() }')
      .refine(
        (sources) => !Object.hasOwn(sources, 'secondary'),
        "name one 'secondary', as the pipeline's own queue is called; choose another",
      )
      .optional()
      .register(documented, {
        what: 'the queues that events are taken from, by the name that the events will carry',
        unit: 'queues by name, `[a-z0-9-]{1,40}`',
        default: '`{ app: localQueue() }`',
        change:
          'to take events off several queues. To rename one makes its later events others than the earlier ones, since the source is a part of an event’s identity',
      }),
    lake: provider<Lake>('lake', 'folderLake()').register(documented, {
      what: 'where every event is kept raw',
      unit: 'lake',
      default: '`folderLake()`',
      change: 'to keep the events elsewhere. What is in the old one has to be copied there, key by key',
    }),
    secondary: provider<Queue>('queue', 'localQueue()').register(documented, {
      what: 'carries references to lake objects, never events',
      unit: 'queue',
      default: '`localQueue()`',
      change: 'to have it beside the lake. What is on the old one is found by `reconcile`',
    }),
    warehouse: provider<Warehouse>('warehouse', 'duckdb()').register(documented, {
      what: 'has the tables, the manifest and the rejections',
      unit: 'warehouse',
      default: '`duckdb()`',
      change: 'to have the tables elsewhere. They are filled from the lake: set `since` in each table',
    }),
    staging: provider<Lake>('lake', 'folderLake()').register(documented, {
      what: 'a lake for load files, which live for minutes',
      unit: 'lake',
      default: 'the lake',
      change: 'where the warehouse cannot read the pipeline’s lake',
    }),
    tables: tables.register(documented, {
      what: 'the path of a file that exports tables, from the config’s folder, or an array of them',
      unit: 'path, or tables',
      default: mandatory,
      change: 'a path keeps mistakes in tables away from collection: `poll` never imports it',
    }),
    freshness: duration('60s', {
      what: 'how old an event may be before it can be queried, when nothing is wrong',
      default: describeDefault(defaults.freshness),
      least: '100ms',
      change: 'the one dial between latency and cost: longer makes larger objects and fewer loads',
    }),
    lease: duration('5m', {
      what: 'how long a message is hidden from others while it is worked on; it is extended as long as that lasts',
      default: describeDefault(defaults.lease),
      least: '1s',
      change: 'shorter brings messages of a killed poller back sooner, and costs more extensions',
    }),
    patience: duration('10m', {
      what: 'how long a load may hang before its table is handed to `backfill`',
      default: describeDefault(defaults.patience),
      least: '1s',
      change: 'longer for a warehouse whose loads really take that long',
    }),
    dedupe: duration('3d', {
      what: 'how far apart copies of one event are looked for',
      default: describeDefault(defaults.dedupe),
      least: '1s',
      change: 'longer where producers send again after days; it makes loads dearer',
    }),
    survive: duration('3d', {
      what: 'the outage that everything must outlast: `reconcile` looks back over it and one day',
      default: describeDefault(defaults.survive),
      least: '1s',
      change: 'with the retention of the queues, which must be longer',
    }),
    reconcileEvery: duration('1h', {
      what: 'how often lake and manifests are compared',
      default: `${defaults.reconcileEvery.leases} × \`lease\` embedded, ${defaults.reconcileEvery.otherwise} otherwise`,
      least: '1s',
      change: 'it bounds how long something forgotten stays so; each comparison lists the lake, which a cloud bills',
    }),
  },
  "is no object; write defineConfig({ pipeline: 'app', tables: './tables.ts' })",
);
