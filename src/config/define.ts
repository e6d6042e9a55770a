import { z } from 'zod';

import { durationPattern, milliseconds, type Duration } from '../durations.js';
import { problemsOf, settingsOf, type Problem } from '../problems.js';
import type { Lake } from '../providers/lake.js';
import { duckdb } from '../providers/local/duckdb.js';
import { folderLake } from '../providers/local/lake.js';
import { localQueue } from '../providers/local/queue.js';
import type { Provider } from '../providers/provider.js';
import type { Queue } from '../providers/queue.js';
import type { Warehouse } from '../providers/warehouse.js';
import { callSite, type Site } from '../site.js';
import type { Table } from '../tables.js';
import { providersOf, type Settings } from './settings.js';

/** What a user writes. Every part has an embedded default; durations are written `500ms`, `90s`, `10m`, `12h`, `3d`. */
export interface Config {
  /** Names the pipeline in Temporal, in references and to people; `[a-z0-9-]{1,40}`. */
  readonly pipeline: string;
  /** The queues that events are taken from, by the name the events will carry; default `{ app: localQueue() }`. */
  readonly sources?: Readonly<Record<string, Provider<Queue>>>;
  /** Where every event is kept raw; default `folderLake()`. */
  readonly lake?: Provider<Lake>;
  /** Carries references to lake objects, never events; default `localQueue()`. */
  readonly secondary?: Provider<Queue>;
  /** Default `duckdb()`. */
  readonly warehouse?: Provider<Warehouse>;
  /** Load files' own lake, for a warehouse that cannot read the pipeline's. */
  readonly staging?: Provider<Lake>;
  /** A path, from the config's folder: a mistake in a table then never stops collection. Or the tables themselves. */
  readonly tables: string | readonly Table[];
  /** How old an event may be before it can be queried, when nothing is wrong; default 1s embedded, 60s in a cloud. */
  readonly freshness?: Duration;
  /** How long a message is hidden from others while it is worked on; default 30s embedded, 5m in a cloud. */
  readonly lease?: Duration;
  /** How long a load may hang before its table is handed to backfill; default 10m. */
  readonly patience?: Duration;
  /** How far apart copies of one event are looked for; default 3d. */
  readonly dedupe?: Duration;
  /** The outage that every queue's retention must outlast; default 3d. */
  readonly survive?: Duration;
  /** How often lake and warehouse are compared; default 2 × lease embedded, 1h in a cloud. */
  readonly reconcileEvery?: Duration;
}

/** A config, checked, but for where its file lies. */
export interface DefinedConfig {
  readonly settings: Omit<Settings, 'file' | 'dataDir'>;
  /** Mistakes: `defineConfig` never throws, whoever loads the config reports them all. */
  readonly problems: readonly Problem[];
  /** Where `defineConfig` was called. */
  readonly site: Site | undefined;
}

/**
 * Defines a pipeline; the default export of `catchment.config.ts`.
 *
 * @example
 * ```ts
 * export default defineConfig({ pipeline: 'app', tables: './tables.ts' });
 * ```
 */
export function defineConfig(config: Config): DefinedConfig {
  const parsed = configSchema.safeParse(config);
  const site = callSite(defineConfig);
  return parsed.success
    ? { settings: settingsFrom(parsed.data), problems: [], site }
    : { settings: settingsFrom({ pipeline: '', tables: [] }), problems: problemsOf(parsed.error), site };
}

const label = /^[a-z0-9-]{1,40}$/;

const provider = <Part>(example: string) =>
  z
    .custom<Provider<Part>>((value) => {
      const { name, open } = (value ?? {}) as Partial<Provider<Part>>;
      return typeof name === 'string' && typeof open === 'function';
    }, `is no provider; write a call such as ${example}`)
    .optional();

const duration = (example: Duration, least: Duration) =>
  z
    .string(`is no duration; write a text such as '${example}'`)
    .regex(durationPattern, 'is no duration; write 500ms, 90s, 10m, 12h or 3d')
    .transform((text) => milliseconds(text, 'duration'))
    .refine((ms) => ms >= milliseconds(least, 'least'), `is too short; write at least '${least}'`)
    .optional();

/** By form, not by identity: another copy of this package may have made it. */
export const isTable = (value: unknown): value is Table => {
  const { shape, problems } = (value ?? {}) as Partial<Table>;
  return typeof shape === 'object' && Array.isArray(problems);
};

const tables = z.custom<string | readonly Table[]>(
  (value) => (typeof value === 'string' && value !== '') || (Array.isArray(value) && value.every(isTable)),
  "are no tables; write the path of a file that exports them, './tables.ts', or an array of what defineTable returns",
);

const configSchema = settingsOf(
  {
    pipeline: z
      .string("a pipeline needs a name; write pipeline: 'app'")
      .regex(label, 'is no name of a pipeline; write one of a-z, 0-9 and -, at most 40 long'),
    sources: z
      .record(z.string().regex(label), provider<Queue>('localQueue()').unwrap(), {
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
      .optional(),
    lake: provider<Lake>('folderLake()'),
    secondary: provider<Queue>('localQueue()'),
    warehouse: provider<Warehouse>('duckdb()'),
    staging: provider<Lake>('folderLake()'),
    tables,
    freshness: duration('60s', '100ms'),
    lease: duration('5m', '1s'),
    patience: duration('10m', '1s'),
    dedupe: duration('3d', '1s'),
    survive: duration('3d', '1s'),
    reconcileEvery: duration('1h', '1s'),
  },
  "is no object; write defineConfig({ pipeline: 'app', tables: './tables.ts' })",
);

function settingsFrom(config: z.output<typeof configSchema>): DefinedConfig['settings'] {
  const {
    sources = { app: localQueue() },
    lake = folderLake(),
    secondary = localQueue(),
    warehouse = duckdb(),
    staging,
  } = config;
  const parts = { sources, lake, secondary, warehouse, ...(staging !== undefined && { staging }) };
  const embedded = providersOf(parts).every((part) => part.embedded);
  const leaseMs = config.lease ?? milliseconds(embedded ? '30s' : '5m', 'lease');
  return {
    pipeline: config.pipeline,
    ...parts,
    tables: config.tables,
    freshnessMs: config.freshness ?? milliseconds(embedded ? '1s' : '60s', 'freshness'),
    leaseMs,
    patienceMs: config.patience ?? milliseconds('10m', 'patience'),
    dedupeMs: config.dedupe ?? milliseconds('3d', 'dedupe'),
    surviveMs: config.survive ?? milliseconds('3d', 'survive'),
    reconcileEveryMs: config.reconcileEvery ?? (embedded ? 2 * leaseMs : milliseconds('1h', 'reconcileEvery')),
  };
}
