import type { Settings } from '../config/settings.js';
import { timeOfId } from '../ids.js';
import type { Parts } from '../open.js';
import type { Queue } from '../providers/queue.js';
import type { Table } from '../tables.js';
import { auditTable } from './audit.js';
import { compareLake, type ComparedObject } from './compare.js';
import { DeepComparison, type DeepOptions } from './deep.js';
import { faultsOf } from './faults.js';
import { GoneObjects } from './gone.js';
import { owedTables } from './owed.js';
import type { Gap, ReconcileReport, TableReport } from './report.js';
import { Retention } from './retention.js';

export interface ReconcileOptions {
  /** Over the whole lake; else over the objects whose hour lies within `survive` and a day. */
  readonly full?: boolean;
  /** What the lake's `writtenAt` is compared with, in Unix milliseconds; by default this moment. */
  readonly now?: number;
  /** After every page of at most 1,000 objects. */
  readonly onProgress?: (objects: number) => void;
  /** Gaps are told of what is missing at any age; else of what has been missing for too long. */
  readonly impatient?: boolean;
  /** Also compares the bodies in the lake with the identities in the tables, over the whole lake. */
  readonly deep?: DeepOptions;
  /** Throws its reason between two pages. */
  readonly signal?: AbortSignal;
}

/** What a comparison came to, and what `backfill` should be started for. */
export interface Reconciliation {
  readonly report: ReconcileReport;
  readonly gaps: readonly Gap[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long an object may take from the lake into the tables before it is looked for. */
export function settleMs(settings: Pick<Settings, 'leaseMs'>): number {
  return 2 * settings.leaseMs + 30_000;
}

/**
 * Compares the lake with the manifests, and the manifests with the tables; each is asked of the stores themselves, and
 * memory does not grow with the lake. Throws `Unavailable` where lake or warehouse do not answer.
 */
export async function reconcile(
  parts: Pick<Parts, 'sources' | 'secondary' | 'lake' | 'warehouse'>,
  settings: Settings,
  tables: readonly Table[],
  options: ReconcileOptions = {},
): Promise<Reconciliation> {
  const now = options.now ?? Date.now();
  const { owed, absent } = await owedTables(parts.warehouse, tables);
  const { signal } = options;
  const deep = options.deep && new DeepComparison(parts, settings, owed, { ...options.deep, now, signal });
  try {
    return await compare(parts, settings, tables, { ...options, now }, { owed, absent, deep });
  } finally {
    deep?.close();
  }
}

async function compare(
  parts: Pick<Parts, 'sources' | 'secondary' | 'lake' | 'warehouse'>,
  settings: Settings,
  tables: readonly Table[],
  { now, full = false, impatient = false, onProgress, signal }: ReconcileOptions & { readonly now: number },
  { owed, absent, deep }: Awaited<ReturnType<typeof owedTables>> & { readonly deep: DeepComparison | undefined },
): Promise<Reconciliation> {
  const settle = settleMs(settings);
  const longest = settings.patienceMs + settle;
  const from = full || deep !== undefined ? undefined : now - settings.surviveMs - dayMs;
  const overdue = impatient ? -Infinity : Math.min(settle + (await emptySinceMs(parts.secondary)), longest);

  const lake = { objects: 0, events: 0, underWay: 0, oldestMissing: 0 };
  const found = new Map(
    tables.map(({ name }) => [name, { missing: 0, outdated: 0, gap: undefined as Gap | undefined }]),
  );
  const gone = new GoneObjects(parts, owed, new Retention(now, settings.surviveMs));
  for await (const page of compareLake(parts, settings, owed, from)) {
    for (const object of page) {
      lake.objects += 1;
      lake.events += object.events;
      const age = now - object.writtenAt.getTime();
      for (const name of object.outdatedIn) found.get(name)!.outdated += 1;
      if (object.missingIn.length === 0) continue;
      lake.oldestMissing = Math.max(lake.oldestMissing, age);
      if (age <= longest) lake.underWay += 1;
      for (const name of object.missingIn) {
        const table = found.get(name)!;
        if (age > longest) table.missing += 1;
        if (age > overdue) table.gap = widened(table.gap ?? emptyGap(name), object, age);
      }
    }
    await gone.page(page);
    await deep?.page(page);
    onProgress?.(lake.objects);
    signal?.throwIfAborted();
  }
  await gone.rest(Object.keys(settings.sources));

  const reports: Record<string, TableReport> = {};
  for (const table of tables) {
    const { missing, outdated } = found.get(table.name)!;
    const audit = await auditTable(parts.warehouse, table, new Date(from ?? 0), absent.get(table.name));
    reports[table.name] = {
      version: table.version,
      objectsMissing: missing,
      objectsOutdated: outdated,
      objectsGone: gone.counts.get(table.name) ?? 0,
      ...audit,
    };
  }
  const bodies = await deep?.compare(sum(Object.values(reports), ({ rows, rejected }) => rows + rejected));
  for (const [name, identities] of bodies?.tables ?? []) reports[name] = { ...reports[name]!, identities };
  const report = {
    // What is missing is named where it starts; an object that the listing could not show yet is younger than `settle`.
    provedUntil: new Date(now - Math.min(Math.max(lake.oldestMissing, settle), longest)).toISOString(),
    objects: {
      ...{ lake: lake.objects, events: lake.events, underWay: lake.underWay },
      ...(bodies && { unreadable: bodies.unreadable, unreadableKeys: bodies.unreadableKeys }),
    },
    tables: reports,
    deadLetters: await countDeadLetters(parts),
  };
  const ok = faultsOf(report).length === 0;
  return { report: { ok, ...report }, gaps: [...found.values()].flatMap(({ gap }) => gap ?? []) };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}

function emptyGap(table: string): Gap {
  return { table, from: Infinity, to: 0, objects: 0, oldestMs: 0 };
}

function widened(gap: Gap, { batch }: ComparedObject, age: number): Gap {
  const hour = Math.floor(timeOfId(batch)! / hourMs) * hourMs;
  return {
    table: gap.table,
    from: Math.min(gap.from, hour),
    to: Math.max(gap.to, hour + hourMs),
    objects: gap.objects + 1,
    oldestMs: Math.max(gap.oldestMs, age),
  };
}

/** How long ago it was known to be empty. A queue that does not answer may hold anything: then only `patience` tells what was forgotten. */
async function emptySinceMs(queue: Queue): Promise<number> {
  try {
    const { waiting, leased, asOf } = await queue.backlog();
    if (waiting + leased > 0) return Infinity;
    return asOf === undefined ? 0 : Math.max(0, Date.now() - asOf.getTime());
  } catch {
    return Infinity;
  }
}

async function countDeadLetters({ sources, secondary }: Pick<Parts, 'sources' | 'secondary'>): Promise<number | null> {
  const queues = [...Object.values(sources), secondary].flatMap(({ deadLetters }) => deadLetters ?? []);
  try {
    const backlogs = await Promise.all(queues.map((queue) => queue.backlog()));
    return backlogs.reduce((sum, { waiting, leased }) => sum + waiting + leased, 0);
  } catch {
    return null;
  }
}
