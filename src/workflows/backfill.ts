import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import { backfillModes, type BackfillMode, type Page, type PageInput } from '../activities/types.js';
import { insistent, loadPage, type PageContext } from './backfill-page.js';
import {
  describe,
  nextMode,
  restored,
  withAsked,
  withFailed,
  withFound,
  withLoaded,
  withoutWork,
  withWork,
  type BackfillAsk,
  type BackfillState,
  type Work,
} from './backfill-state.js';
import { failureOf } from './failures.js';
import { UnderWay } from './under-way.js';

export interface BackfillInput {
  readonly table: string;
  /** What to do, where it is not a signal that says so; by default what the table is missing of what it owes. */
  readonly ask?: BackfillAsk | readonly BackfillAsk[];
  readonly state?: Parameters<typeof restored>[0];
}

const widen = defineSignal<[BackfillAsk]>('widen');
const pause = defineSignal('pause');
const resume = defineSignal('resume');
/** Ends what is to be made anew, or with `everything` what is missing too: the table is no more. */
const cancel = defineSignal<[{ readonly everything?: boolean }?]>('cancel');
const progress = defineQuery<BackfillState>('progress');

/** Failures that any objects of the table meet. */
const tableFaults: readonly string[] = ['SchemaConflict', 'TableMissing'];
const betweenPasses = '20s';
/** One transforms while others load; more would take from the live loads. */
const pagesAtOnce = 3;

/**
 * Does for one table, page by page, what is asked for: loads what the lake has and the manifest lacks, makes rejected
 * events anew, or what lower versions made. Each mode ends after a pass, begun after its last signal, that found nothing.
 */
export async function backfill({
  table,
  ask,
  state: before,
}: BackfillInput): Promise<{ objects: number; events: number }> {
  // Runs that began with one page at a time, and pause between pages, go on so.
  const modern = patched('modes');
  const atOnce = modern ? pagesAtOnce : 1;
  const underWay = new UnderWay();
  const trouble = { insistedOn: false };
  let state = restored(before);
  const set = (change: Partial<BackfillState>): void => {
    state = { ...state, ...change };
    setCurrentDetails(describe(table, state));
  };

  setHandler(widen, (asked) => {
    state = withAsked(state, asked, Date.now(), modern);
    // Whoever asks may have brought back what could not be read; `reconcile` does so again and again.
    set({ unreadable: [] });
    // What hangs may do so for longer than Temporal takes signals of one run.
    if (modern && historyIsLong()) underWay.letGo(() => true);
    // One that looks in vain must not keep what goes before it waiting.
    if (modern) underWay.letGo(({ mode, looks }) => looks && mode !== nextMode(state));
  });
  setHandler(pause, () => {
    set({ paused: true });
    if (modern) underWay.letGo(() => true);
  });
  setHandler(resume, () => set({ paused: false }));
  setHandler(cancel, ({ everything = false } = {}) => {
    const ended = backfillModes.filter((mode) => everything || mode !== 'missing');
    set({ ...withoutWork(state, ended), ...(everything && { paused: false }) });
    underWay.letGo(({ mode }) => ended.includes(mode));
  });
  setHandler(progress, () => state);
  if (before === undefined) addAsked();

  for (;;) {
    underWay.throwIfBroke();
    if (historyIsLong()) {
      await underWay.allEnd();
      await condition(allHandlersFinished);
      await continueAsNew<typeof backfill>({ table, state });
    }
    if (state.paused) {
      await underWay.allEnd();
      // Live loads signal a paused backfill too.
      await condition(() => !state.paused || historyIsLong());
      continue;
    }
    const mode = nextMode(state);
    const work = mode && state.works[mode];
    if (mode === undefined || work === undefined) {
      if (underWay.pages === 0) return { objects: state.objects, events: state.events };
      await underWay.oneEnds();
    } else if (work.ranges[work.range] === undefined) {
      // What its last pages come to decides whether the pass was the last one.
      if (underWay.pages > 0) await underWay.oneEnds();
      else await endPass(mode, work);
    } else if (underWay.pages >= atOnce || trouble.insistedOn) {
      await underWay.oneEnds();
    } else {
      await beginPage(mode, work);
    }
  }

  function addAsked(): void {
    const asks = ask === undefined ? [] : Array.isArray(ask) ? (ask as readonly BackfillAsk[]) : [ask as BackfillAsk];
    for (const each of asks) {
      state = withAsked(state, each, Date.now(), modern);
      if (state.notUnderstood !== undefined) throw ApplicationFailure.nonRetryable(state.notUnderstood);
      set({});
    }
    if (nextMode(state) === undefined) set(withAsked(state, {}, Date.now(), modern));
  }

  async function endPass(mode: BackfillMode, work: Work): Promise<void> {
    if (work.found === 0 && !work.widened) {
      set(withoutWork(state, [mode]));
      return;
    }
    const disturbed = (): boolean => state.works[mode]?.widened !== false || (modern && state.paused);
    if (state.failed.length > 0 && !work.widened) await condition(disturbed, betweenPasses);
    set({
      ...withWork(state, mode, { range: 0, after: undefined, found: 0, widened: false }),
      failed: [],
      passes: state.passes + 1,
    });
  }

  async function beginPage(mode: BackfillMode, work: Work): Promise<void> {
    const range = work.ranges[work.range]!;
    const { after, version } = work;
    const summary = `look for what is to be loaded into ${table}`;
    const input: PageInput = {
      table,
      mode,
      range,
      without: state.unreadable,
      ...(after && { after }),
      ...(version !== undefined && { version }),
    };
    let page: Page;
    try {
      page = await underWay.look(mode, () => insistent.nextPage.executeWithOptions({ summary }, [input]));
    } catch (error) {
      if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return;
      setCurrentDetails(`${describe(table, state)}\n\nit cannot be seen what is to do: ${failureOf(error).message}`);
      return;
    }
    // A range that a signal widened meanwhile is gone over again by the next pass.
    const position = page.next === undefined ? { range: work.range + 1, after: undefined } : { after: page.next };
    const known = Math.max(version ?? 0, mode === 'missing' ? 0 : (page.version ?? 0));
    // A higher version may have been asked for while it was looked.
    const least = Math.max(known, state.works[mode]?.version ?? 0);
    set(withWork(state, mode, { ...position, ...(least > 0 && { version: least }) }));
    if (page.objects.length === 0) return;
    const how = { ...(known > 0 && { version: known }), ...(range.before !== undefined && { anew: range.before }) };
    const load = (): Promise<void> => loadPage({ table, mode, objects: page.objects, ...how }, contextOf(mode));
    underWay.begin(mode, load, () => set(withFound(state, mode, 1)));
  }

  function contextOf(mode: BackfillMode): PageContext {
    return {
      isTableFault: ({ type = '' }) => modern && (trouble.insistedOn || tableFaults.includes(type)),
      loaded: (what) => set(withLoaded(state, mode, what)),
      setAside: (failed) => set(withFailed(state, mode, failed)),
      insist: (work) => {
        if (trouble.insistedOn) return undefined;
        trouble.insistedOn = true;
        return work().finally(() => (trouble.insistedOn = false));
      },
    };
  }
}

function historyIsLong(): boolean {
  return workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 5_000;
}
