import { proxyActivities, CancellationScope, uuid4 } from '@temporalio/workflow';

import {
  rowsRefused,
  type BackfillMode,
  type ObjectToLoad,
  type TransformInput,
  type WorkerActivities,
} from '../activities/types.js';
import { counted } from '../amounts.js';
import { discard, forever, heartbeatTimeout } from './activities.js';
import { failureOf, type Failure } from './failures.js';
import { loadTable } from './load-table.js';

/** What a page is loaded for, and how. */
export interface PageToLoad {
  readonly table: string;
  readonly mode: BackfillMode;
  readonly objects: readonly ObjectToLoad[];
  readonly version?: number;
  readonly anew?: string;
}

export interface PageLoaded {
  readonly objects: number;
  readonly events: number;
  /** Events that only the warehouse refused. */
  readonly refused: number;
  readonly unreadable: readonly string[];
}

export type Failed = Failure & { readonly object: ObjectToLoad };

/** The backfill that a page belongs to. */
export interface PageContext {
  loaded(what: PageLoaded): void;
  /** They wait for the next pass; `more` says whether others of the page do so too. */
  setAside(failed: readonly Failed[]): void;
  /** Tries on where an operator looks for it; undefined where another page of the table does so already. */
  insist(work: () => Promise<Failure | undefined>): Promise<Failure | undefined> | undefined;
  /** The table's, whatever the objects: there is no need to ask each. */
  isTableFault(failure: Failure): boolean;
}

const unhurried = { startToCloseTimeout: '10m', heartbeatTimeout, priority: { priorityKey: 4 } } as const;
const twice = proxyActivities<WorkerActivities>({ ...unhurried, retry: { initialInterval: '2s', maximumAttempts: 2 } });
/**
 * Fails where an operator looks for it: as a pending activity with its attempt and error. It ends all the same, since
 * signals make the history longer while it is tried.
 */
export const insistent = proxyActivities<WorkerActivities>({
  ...unhurried,
  scheduleToCloseTimeout: '10m',
  retry: { ...forever, maximumInterval: '10s' },
});

const existing = { missing: 'keep', rejected: 'rejected', replace: 'replace' } as const;
/** So many objects that fail by themselves say that the table is at fault. */
const enough = 3;

/** Loads a page; where that fails, object by object, so that one costs only itself. */
export async function loadPage(page: PageToLoad, context: PageContext): Promise<void> {
  const { objects } = page;
  const whole = await attempt(page, twice, context);
  if (whole === undefined) return;
  const first = objects[0]!;
  const tableFault = context.isTableFault(whole);
  const failed = tableFault || objects.length === 1 ? [{ object: first, ...whole }] : await oneByOne(page, context);

  // An object of which too much is refused says nothing about the others.
  const [broken, ...others] = failed.filter(({ type }) => type !== rowsRefused);
  if (broken === undefined || (!tableFault && 1 + others.length < Math.min(enough, objects.length))) {
    context.setAside(failed);
    return;
  }
  const insisted = context.insist(() => attempt({ ...page, objects: [broken.object] }, insistent, context));
  if (insisted === undefined) {
    context.setAside(failed);
    return;
  }
  const last = await insisted;
  const rest = failed.filter(({ object }) => object !== broken.object);
  context.setAside(last === undefined ? rest : [{ object: broken.object, ...last }, ...rest]);
}

async function oneByOne(page: PageToLoad, context: PageContext): Promise<Failed[]> {
  const failed: Failed[] = [];
  for (const [index, object] of page.objects.entries()) {
    const failure = await attempt({ ...page, objects: [object] }, twice, context);
    if (failure !== undefined) failed.push({ object, ...failure });
    // The table's fault, not the objects': no need to ask each.
    const broken = failed.filter(({ type }) => type !== rowsRefused);
    if (index === enough - 1 && broken.length === enough) break;
  }
  return failed;
}

/** undefined where it went well. */
async function attempt(
  { table, mode, objects, version, anew }: PageToLoad,
  how: typeof twice,
  context: PageContext,
): Promise<Failure | undefined> {
  const load = uuid4();
  const events = eventsOf(objects);
  const input: TransformInput = {
    load,
    objects,
    tables: [table],
    existing: existing[mode],
    live: false,
    ...(version !== undefined && { version }),
    ...(anew !== undefined && { anew }),
  };
  let files: string | undefined;
  try {
    const { planned, failed, folder, unreadable } = await how.transform.executeWithOptions(
      { summary: `transform ${counted(events, 'event')} of ${counted(objects.length, 'lake object')} for ${table}` },
      [input],
    );
    files = folder;
    const plan = planned[0];
    if (plan === undefined) return { message: failed[0]?.error ?? `the transform made no plan for ${table}` };
    const { refused, changed } = await loadTable(how, plan, { load, live: false });
    const readable = objects.filter(({ key }) => !unreadable.includes(key));
    // What a higher version rejected stays as it is, and would be found again in every pass.
    const counts = mode === 'rejected' && !changed ? [] : readable;
    context.loaded({ objects: counts.length, events: eventsOf(counts), refused, unreadable });
    return undefined;
  } catch (error) {
    return failureOf(error);
  } finally {
    const folder = files;
    if (folder !== undefined) await CancellationScope.nonCancellable(() => discard({ folder }).catch(() => undefined));
  }
}

function eventsOf(objects: readonly ObjectToLoad[]): number {
  return objects.reduce((sum, object) => sum + object.events, 0);
}
