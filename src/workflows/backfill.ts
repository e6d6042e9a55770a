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

import type { BatchRange, ObjectToLoad, Position, WorkerActivities } from '../activities/types.js';
import { discard, forever, heartbeatTimeout } from './activities.js';
import { failureOf } from './failures.js';
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
  let state = before ?? nothing;
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
      setCurrentDetails(`paused; ${state.objects} objects loaded so far`);
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
    let failed: { key: string; error: string }[] = [{ key: objects[0]!.key, error: whole }];
    if (objects.length > 1) {
      failed = [];
      for (const object of objects) {
        const error = await attempt([object], twice);
        if (error !== undefined) failed.push({ key: object.key, error });
        // The table's fault, not the objects': no need to ask each.
        if (failed.length === 3 && failed.length === objects.indexOf(object) + 1) break;
      }
    }
    if (failed.length < Math.min(3, objects.length)) {
      setAside(failed);
      return;
    }
    const insisted = await attempt(objects.slice(0, 1), insistent);
    if (insisted !== undefined) setAside([{ key: objects[0]!.key, error: insisted }, ...failed.slice(1)]);
    else set({ found: state.found + 1 });
  }

  function setAside(failed: readonly { key: string; error: string }[]): void {
    const named = failed.map(({ key, error }) => ({ key, error: error.slice(0, mostCharacters) }));
    set({ found: state.found + failed.length, failed: [...state.failed, ...named].slice(-mostNamed) });
  }

  /** undefined where it went well, else the error. */
  async function attempt(objects: readonly ObjectToLoad[], how: typeof twice): Promise<string | undefined> {
    const load = uuid4();
    const events = objects.reduce((sum, object) => sum + object.events, 0);
    let files: string | undefined;
    try {
      const { planned, failed, folder, unreadable } = await how.transform.executeWithOptions(
        { summary: `transform ${events} events of ${objects.length} objects for ${table}` },
        [{ load, objects, tables: [table], existing: 'keep' }],
      );
      files = folder;
      const plan = planned[0];
      if (plan === undefined) return failed[0]?.error ?? `the transform made no plan for ${table}`;
      const summary = `load ${plan.rows} rows, ${plan.rejections} rejections into ${table}`;
      await how.load.executeWithOptions({ summary }, [{ load, table, plan: plan.plan, live: false }]);
      const loaded = objects.filter(({ key }) => !unreadable.includes(key));
      set({
        objects: state.objects + loaded.length,
        events: state.events + loaded.reduce((sum, object) => sum + object.events, 0),
        found: state.found + loaded.length,
        unreadable: [...new Set([...state.unreadable, ...unreadable])].slice(-mostNamed),
      });
      return undefined;
    } catch (error) {
      return failureOf(error).message;
    } finally {
      if (files !== undefined) await discard({ folder: files }).catch(() => undefined);
    }
  }
}

function historyIsLong(): boolean {
  return workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 5_000;
}

function describe(table: string, state: BackfillState): string {
  const lines = [`${table}: ${state.objects} objects, ${state.events} events loaded in ${state.passes + 1} passes`];
  if (state.unreadable.length > 0) lines.push(`${state.unreadable.length} objects could not be read`);
  for (const { key, error } of state.failed.slice(0, 20)) lines.push(`- ${key}: ${error}`);
  return lines.join('\n').slice(0, 8_000);
}
