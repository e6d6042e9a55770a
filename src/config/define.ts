import { z } from 'zod';

import { milliseconds, type Duration } from '../durations.js';
import { problemsOf, type Problem } from '../problems.js';
import type { Lake } from '../providers/lake.js';
import { duckdb } from '../providers/local/duckdb.js';
import { folderLake } from '../providers/local/lake.js';
import { localQueue } from '../providers/local/queue.js';
import type { Provider } from '../providers/provider.js';
import type { Queue } from '../providers/queue.js';
import type { Warehouse } from '../providers/warehouse.js';
import { callSite, type Site } from '../site.js';
import type { Table } from '../tables.js';
import { configSchema, defaults } from './schema.js';
import { providersOf, type Settings } from './settings.js';

/** What a user writes. Every part has an embedded default; durations are written `500ms`, `90s`, `10m`, `12h`, `3d`. */
export interface Config {
  /** Names the pipeline in Temporal, in references and to people. */
  readonly pipeline: string;
  /**
   * The queues that events are taken from, by the name that the events will carry; default: `{ app: localQueue()
   * }`.
   */
  readonly sources?: Readonly<Record<string, Provider<Queue>>>;
  /** Where every event is kept raw; default: `folderLake()`. */
  readonly lake?: Provider<Lake>;
  /** Carries references to lake objects, never events; default: `localQueue()`. */
  readonly secondary?: Provider<Queue>;
  /** Has the tables, the manifest and the rejections; default: `duckdb()`. */
  readonly warehouse?: Provider<Warehouse>;
  /** A lake for load files, which live for minutes; default: the lake. */
  readonly staging?: Provider<Lake>;
  /** The path of a file that exports tables, from the config’s folder, or an array of them. */
  readonly tables: string | readonly Table[];
  /**
   * How old an event may be before it can be queried, when nothing is wrong; default: 1s embedded, 60s otherwise,
   * at least 100ms.
   */
  readonly freshness?: Duration;
  /**
   * How long a message is hidden from others while it is worked on; it is extended as long as that lasts; default:
   * 30s embedded, 5m otherwise, at least 1s.
   */
  readonly lease?: Duration;
  /** How long a load may hang before its table is handed to `backfill`; default: 10m, at least 1s. */
  readonly patience?: Duration;
  /** How far apart copies of one event are looked for; default: 3d, at least 1s. */
  readonly dedupe?: Duration;
  /** The outage that everything must outlast: `reconcile` looks back over it and one day; default: 3d, at least 1s. */
  readonly survive?: Duration;
  /** How often lake and manifests are compared; default: 2 × `lease` embedded, 1h otherwise, at least 1s. */
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
    ? { settings: settingsFrom(parsed.data), problems: problemsOfParts(parsed.data), site }
    : { settings: settingsFrom({ pipeline: '', tables: [] }), problems: problemsOf(parsed.error), site };
}

/** What the providers found wrong with their own options, and what two of them name that only one may have. */
function problemsOfParts({
  sources = {},
  lake,
  secondary,
  warehouse,
  staging,
}: z.output<typeof configSchema>): Problem[] {
  const parts = { ...prefixed('sources', sources), lake, secondary, warehouse, staging };
  const named = new Map<string, string>();
  return Object.entries(parts).flatMap(([part, provider]) => [
    ...(provider?.problems ?? []).map(({ path, message }) => ({
      path: path === '' ? part : `${part}.${path}`,
      message,
    })),
    ...Object.entries(provider?.addresses ?? {}).flatMap(([option, address]): Problem[] => {
      const path = `${part}.${option}`;
      const other = named.get(address);
      named.set(address, other ?? path);
      if (other === undefined) return [];
      return [
        {
          path,
          message: `names what ${other} names: events and references would be taken for one another; name another`,
        },
      ];
    }),
  ]);
}

const prefixed = <Value>(under: string, values: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [z.core.toDotPath([under, name]), value]));

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
  const where = embedded ? 'embedded' : 'otherwise';
  const leaseMs = config.lease ?? milliseconds(defaults.lease[where], 'lease');
  const everyMs = embedded
    ? defaults.reconcileEvery.leases * leaseMs
    : milliseconds(defaults.reconcileEvery.otherwise, 'reconcileEvery');
  return {
    pipeline: config.pipeline,
    ...parts,
    tables: config.tables,
    freshnessMs: config.freshness ?? milliseconds(defaults.freshness[where], 'freshness'),
    leaseMs,
    patienceMs: config.patience ?? milliseconds(defaults.patience, 'patience'),
    dedupeMs: config.dedupe ?? milliseconds(defaults.dedupe, 'dedupe'),
    surviveMs: config.survive ?? milliseconds(defaults.survive, 'survive'),
    reconcileEveryMs: config.reconcileEvery ?? everyMs,
  };
}
