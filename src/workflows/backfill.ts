import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';

import {
  rowsRefused,
  type BatchRange,
  type ObjectToLoad,
  type Position,
  type WorkerActivities,
} from '../activities/types.js';
import { count, counted } from '../amounts.js';
import { discard, forever, heartbeatTimeout } from './activities.js';
import { failureOf, type Failure } from './failures.js';
import { loadTable } from './load-table.js';
import { addRange } from './ranges.js';

export interface BackfillInput {
  readonly table: string;
  readonly state?: BackfillState;
}

/** What goes on over continue-as-new: names and counts, however large the lake. */
interface BackfillState {
  readonly ranges: readonly BatchRange[];
  /** The range that the pass is in, and how far it got there. */
  readonly range: number;
  readonly after?: Position;
  readonly paused: boolean;
  readonly objects: number;
  readonly events: number;
  readonly passes: number;
  /** Events that only the warehouse refused: they are rejections now. */
  readonly refused: number;
  /** Loaded or failed in this pass: another one follows. */
  readonly found: number;
  /** A signal came since the pass began. */
  readonly widened: boolean;
  /** Objects that could not be read, which count as found no more. */
  readonly unreadable: readonly string[];
  /** The last error of each object that waits for the next pass. */
  readonly failed: readonly { readonly key: string; readonly error: string }[];
}

const widen = defineSignal<[BatchRange]>('widen');
const pause = defineSignal('pause');
const resume = defineSignal('resume');
const progress = defineQuery<BackfillState>('progress');

const nothing: BackfillState = {
  ranges: [],
  range: 0,
  paused: false,
  objects: 0,
  events: 0,
  passes: 0,
  refused: 0,
  found: 0,
  widened: false,
  unreadable: [],
  failed: [],
};

const mostNamed = 100;
const mostCharacters = 200;
const betweenPasses = '20s';

const unhurried = { startToCloseTimeout: '30m', heartbeatTimeout, priority: { priorityKey: 4 } } as const;
const twice = proxyActivities<WorkerActivities>({ ...unhurried, retry: { initialInterval: '2s', maximumAttempts: 2 } });
/**
 * Fails where an operator looks for it: as a pending activity with its attempt and error. It ends all the same, since
 * signals make the history longer while it is tried.
 */
const insistent = proxyActivities<WorkerActivities>({
  ...unhurried,
  scheduleToCloseTimeout: '10m',
  retry: { ...forever, maximumInterval: '10s' },
});

/**
 * Loads what the lake has and the table's manifest lacks, page by page: the only repair there is. Ends after a pass,
 * begun after its last signal, that found nothing.
 */
export async function backfill({ table, state: before }: BackfillInput): Promise<{ objects: number; events: number }> {
  let state = { ...nothing, ...before };
  const set = (change: Partial<BackfillState>): void => {
    state = { ...state, ...change };
  };
  setHandler(widen, (range) => set({ ranges: addRange(state.ranges, range), widened: true }));
  setHandler(pause, () => set({ paused: true }));
  setHandler(resume, () => set({ paused: false }));
  setHandler(progress, () => state);

  for (;;) {
    if (historyIsLong()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof backfill>({ table, state });
    }
    if (state.paused) {
      setCurrentDetails(`paused; ${counted(state.objects, 'object')} loaded so far`);
      // Live loads signal a paused backfill too.
      await condition(() => !state.paused || historyIsLong());
      continue;
    }
    const range = state.ranges[state.range];
    if (range === undefined) {
      if (state.found === 0 && !state.widened) break;
      if (state.failed.length > 0 && !state.widened) await condition(() => state.widened, betweenPasses);
      set({ range: 0, after: undefined, found: 0, widened: false, failed: [], passes: state.passes + 1 });
    } else {
      await loadNext(range);
    }
  }
  return { objects: state.objects, events: state.events };

  async function loadNext(range: BatchRange): Promise<void> {
    try {
      const page = await insistent.nextPage.executeWithOptions({ summary: `look for what ${table} is missing` }, [
        { table, range, without: state.unreadable, ...(state.after && { after: state.after }) },
      ]);
      if (page.objects.length > 0) await loadPage(page.objects);
      // A range that a signal widened meanwhile is gone over again by the next pass.
      if (page.next === undefined) set({ range: state.range + 1, after: undefined });
      else set({ after: page.next });
      setCurrentDetails(describe(table, state));
    } catch (error) {
      setCurrentDetails(`${describe(table, state)}\n\nit cannot be seen what is missing: ${failureOf(error).message}`);
    }
  }

  async function loadPage(objects: readonly ObjectToLoad[]): Promise<void> {
    const whole = await attempt(objects, twice);
    if (whole === undefined) return;
    let failed = [{ object: objects[0]!, ...whole }];
    if (objects.length > 1) {
      failed = [];
      for (const [index, object] of objects.entries()) {
        const failure = await attempt([object], twice);
        if (failure !== undefined) failed.push({ object, ...failure });
        // The table's fault, not the objects': no need to ask each.
        if (index === 2 && broken(failed).length === 3) break;
      }
    }
    const [first, ...others] = broken(failed);
    if (first === undefined || 1 + others.length < Math.min(3, objects.length)) {
      setAside(failed);
      return;
    }
    const insisted = await attempt([first.object], insistent);
    const rest = failed.filter(({ object }) => object !== first.object);
    if (insisted === undefined) set({ found: state.found + 1 });
    setAside(insisted === undefined ? rest : [{ object: first.object, ...insisted }, ...rest]);
  }

  /** An object of which too much is refused says nothing about the others. */
  function broken<One extends Failure>(failed: readonly One[]): One[] {
    return failed.filter(({ type }) => type !== rowsRefused);
  }

  function setAside(failed: readonly (Failure & { object: ObjectToLoad })[]): void {
    const named = failed.map(({ object, message }) => ({ key: object.key, error: message.slice(0, mostCharacters) }));
    // An object that is in two of the ranges fails in both.
    const before = state.failed.filter(({ key }) => !named.some((one) => one.key === key));
    set({ found: state.found + failed.length, failed: [...before, ...named].slice(-mostNamed) });
  }

  /** undefined where it went well. */
  async function attempt(objects: readonly ObjectToLoad[], how: typeof twice): Promise<Failure | undefined> {
    const load = uuid4();
    const events = objects.reduce((sum, object) => sum + object.events, 0);
    let files: string | undefined;
    try {
      const { planned, failed, folder, unreadable } = await how.transform.executeWithOptions(
        { summary: `transform ${counted(events, 'event')} of ${counted(objects.length, 'lake object')} for ${table}` },
        [{ load, objects, tables: [table], existing: 'keep' }],
      );
      files = folder;
      const plan = planned[0];
      if (plan === undefined) return { message: failed[0]?.error ?? `the transform made no plan for ${table}` };
      const done = await loadTable(how, plan, { load, live: false });
      const loaded = objects.filter(({ key }) => !unreadable.includes(key));
      set({
        objects: state.objects + loaded.length,
        events: state.events + loaded.reduce((sum, object) => sum + object.events, 0),
        found: state.found + loaded.length,
        refused: state.refused + done.refused,
        unreadable: [...new Set([...state.unreadable, ...unreadable])].slice(-mostNamed),
      });
      return undefined;
    } catch (error) {
      return failureOf(error);
    } finally {
      if (files !== undefined) await discard({ folder: files }).catch(() => undefined);
    }
  }
}

function historyIsLong(): boolean {
  return workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 5_000;
}

function describe(table: string, state: BackfillState): string {
  const loaded = `${counted(state.objects, 'lake object')} with ${counted(state.events, 'event')} loaded`;
  const lines = [`${table}: ${loaded} in pass ${count(state.passes + 1)}`];
  if (state.refused > 0)
    lines.push(`${counted(state.refused, 'event')} rejected, since only the warehouse refuses them`);
  if (state.unreadable.length > 0) lines.push(`${counted(state.unreadable.length, 'object')} could not be read`);
  if (state.failed.length > 0)
    lines.push(`${counted(state.failed.length, 'object')} failed, to be tried in the next pass:`);
  for (const { key, error } of state.failed.slice(0, 20)) lines.push(`- ${key}: ${error}`);
  return lines.join('\n').slice(0, 8_000);
}
