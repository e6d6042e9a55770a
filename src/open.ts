import type { Settings } from './config/settings.js';
import { ConfigError } from './errors.js';
import type { Lake } from './providers/lake.js';
import type { Provider } from './providers/provider.js';
import type { Queue } from './providers/queue.js';
import type { Warehouse } from './providers/warehouse.js';

/** The parts of a pipeline as one process uses them; each is opened when it is first asked for. */
export interface Parts {
  readonly sources: Readonly<Record<string, Queue>>;
  readonly secondary: Queue;
  readonly lake: Lake;
  /**
   * Where load files go: the config's `staging`, else the pipeline's lake, else, where the warehouse cannot read that one,
   * the warehouse's own. Throws `ConfigError` where it has none.
   */
  readonly staging: Lake;
  readonly warehouse: Warehouse;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Opens no connection: a process that never asks for a part needs neither its driver's connection nor its credentials. */
export function openParts(settings: Settings): Parts {
  const opened: { close(): Promise<void> }[] = [];
  const open = <Part>(provider: Provider<Part>, part: string): Part =>
    provider.open({ pipeline: settings.pipeline, dataDir: settings.dataDir, part });
  const closing = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    opened.push(part);
    return part;
  };

  const sources = {};
  for (const [name, provider] of Object.entries(settings.sources))
    lazy(sources, name, () => closing(open(provider, `source-${name}`)));
  const parts = {
    sources,
    async close(): Promise<void> {
      await Promise.all(opened.splice(0).map((part) => part.close()));
    },
  };
  lazy(parts, 'secondary', () => closing(open(settings.secondary, 'secondary')));
  lazy(parts, 'lake', () => open(settings.lake, 'lake'));
  lazy(parts, 'warehouse', () => closing(open(settings.warehouse, 'warehouse')));
  lazy(parts, 'staging', () => stagingOf(settings, parts as Parts, open));
  return parts as Parts;
}

function stagingOf(settings: Settings, parts: Parts, open: (provider: Provider<Lake>, part: string) => Lake): Lake {
  if (settings.staging !== undefined) return open(settings.staging, 'staging');
  if (parts.warehouse.canRead(parts.lake.uri)) return parts.lake;
  const own = parts.warehouse.staging;
  if (own !== undefined) return own;
  throw new ConfigError(
    `${settings.file}: staging: the warehouse ${settings.warehouse.name} cannot read the lake ${parts.lake.uri}; name a staging lake that it can read`,
  );
}

function lazy(target: object, name: string, make: () => unknown): void {
  let made: { part: unknown } | undefined;
  Object.defineProperty(target, name, { enumerable: true, get: () => (made ??= { part: make() }).part });
}
