import { backfillModes, type BackfillMode, type BackfillRange, type Position } from '../activities/types.js';
import { count, counted } from '../amounts.js';
import { hourOf, writeHour } from '../lake-hours.js';
import type { Failed, PageLoaded } from './backfill-page.js';
import { addRange, nearMs } from './ranges.js';

/**
 * What somebody wants of a table's backfill: the input of the workflow and of its signal `widen`. `from` and `to` are hours
 * of the lake in UTC (`2026-11-24T13`, or a day), or Unix milliseconds; `to` is not within.
 */
export interface BackfillAsk {
  /** Default: `missing`. */
  readonly mode?: BackfillMode;
  /** Default: what the table owes, and what it was once loaded with. */
  readonly from?: string | number;
  /** Default: now. */
  readonly to?: string | number;
  readonly owed?: boolean;
  /** Of `rejected`: any part of the reason. */
  readonly reason?: string;
  /** The least that a worker's config must have of the table. */
  readonly version?: number;
  /** Of `replace`: what this version has loaded is made anew too. */
  readonly again?: boolean;
}

/** What one mode has still to do. */
export interface Work {
  readonly ranges: readonly BackfillRange[];
  /** The range that the pass is in, and how far it got there. */
  readonly range: number;
  readonly after?: Position;
  /** Loaded or failed in this pass: another one follows. */
  readonly found: number;
  /** A signal came since the pass began. */
  readonly widened: boolean;
  readonly version?: number;
}

/** What goes on over continue-as-new: names and counts, however large the lake. */
export interface BackfillState {
  readonly works: Readonly<Partial<Record<BackfillMode, Work>>>;
  readonly paused: boolean;
  readonly objects: number;
  readonly events: number;
  readonly passes: number;
  /** Events that only the warehouse refused: they are rejections now. */
  readonly refused: number;
  /** Objects that could not be read, which count as found no more. */
  readonly unreadable: readonly string[];
  /** The last error of each object that waits for the next pass. */
  readonly failed: readonly { readonly key: string; readonly error: string }[];
  /** Why what was asked for last was not understood. */
  readonly notUnderstood?: string;
}

/** The state of 0.1.0's first runs, which knew one mode. */
type EarlierState = Omit<BackfillState, 'works'> & Work;

/** A part of one is enough to tell them apart, and the state is to stay small. */
const longestReason = 200;
/** Objects that are named, and what of their errors. */
const mostNamed = 80;
const mostCharacters = 200;

export const nothing: BackfillState = {
  works: {},
  paused: false,
  objects: 0,
  events: 0,
  passes: 0,
  refused: 0,
  unreadable: [],
  failed: [],
};

export function restored(state: BackfillState | EarlierState | undefined): BackfillState {
  if (state === undefined || 'works' in state) return { ...nothing, ...state };
  const { ranges, range, after, found, widened, ...rest } = state;
  return { ...nothing, ...rest, works: { missing: { ranges, range, found, widened, ...(after && { after }) } } };
}

/** Adds what is asked for to the work of its mode. `joins`: what is missing close together is loaded together. */
export function withAsked(state: BackfillState, ask: BackfillAsk, now: number, joins = true): BackfillState {
  const read = rangeAsked(ask, now);
  if (typeof read === 'string') return { ...state, notUnderstood: read };
  const { mode, range } = read;
  const before: Work = state.works[mode] ?? { ranges: [], range: 0, found: 0, widened: true };
  const version = Math.max(before.version ?? 0, ask.version ?? 0);
  const work = {
    ...before,
    ranges: addRange(before.ranges, range, joins && mode === 'missing' ? nearMs : 0),
    widened: true,
    ...(version > 0 && { version }),
  };
  const { notUnderstood: _, ...rest } = state;
  return { ...rest, works: { ...state.works, [mode]: work } };
}

/** Or what cannot be understood of it: whoever signals by hand is to read it, and it must not stop what runs. */
function rangeAsked(ask: BackfillAsk, now: number): { mode: BackfillMode; range: BackfillRange } | string {
  const { mode = 'missing', reason, version, again = false } = ask;
  if (!backfillModes.includes(mode))
    return `mode ${JSON.stringify(mode).slice(0, 100)}: it is one of ${backfillModes.join(', ')}`;
  const from = ask.from === undefined ? 0 : timeAsked(ask.from);
  const to = ask.to === undefined ? now + 1 : timeAsked(ask.to);
  if (from === undefined || to === undefined) return `from and to are hours of the lake, as 2026-11-24T13, or days`;
  if (from >= to) return `from ${writeHour(from)} is not before to ${writeHour(to)}`;
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > longestReason))
    return `reason: a text of at most ${longestReason} characters`;
  if (version !== undefined && !(Number.isInteger(version) && version > 0)) return `version: a whole number from 1 on`;
  const at = new Date(now).toISOString();
  return {
    mode,
    range: {
      from,
      to,
      owed: ask.owed ?? ask.from === undefined,
      ...(mode === 'rejected' && { before: at, ...(reason !== undefined && { reason }) }),
      ...(mode === 'replace' && again && { before: at }),
    },
  };
}

function timeAsked(time: string | number): number | undefined {
  if (typeof time === 'string') return hourOf(time);
  return Number.isSafeInteger(time) && Math.abs(time) <= 8.64e15 ? time : undefined;
}

/** The mode whose turn it is: what is missing goes before what is to be made anew. */
export function nextMode({ works }: BackfillState): BackfillMode | undefined {
  return backfillModes.find((mode) => works[mode] !== undefined);
}

export function withWork(state: BackfillState, mode: BackfillMode, change: Partial<Work>): BackfillState {
  const work = state.works[mode];
  // It may have been cancelled meanwhile.
  return work === undefined ? state : { ...state, works: { ...state.works, [mode]: { ...work, ...change } } };
}

export function withoutWork(state: BackfillState, modes: readonly BackfillMode[]): BackfillState {
  const left = Object.entries(state.works).filter(([mode]) => !modes.includes(mode as BackfillMode));
  return { ...state, works: Object.fromEntries(left) };
}

/** In this pass: another one follows. */
export function withFound(state: BackfillState, mode: BackfillMode, more: number): BackfillState {
  return withWork(state, mode, { found: (state.works[mode]?.found ?? 0) + more });
}

export function withLoaded(state: BackfillState, mode: BackfillMode, loaded: PageLoaded): BackfillState {
  return {
    ...withFound(state, mode, loaded.objects),
    objects: state.objects + loaded.objects,
    events: state.events + loaded.events,
    refused: state.refused + loaded.refused,
    unreadable: [...new Set([...state.unreadable, ...loaded.unreadable])].slice(-mostNamed),
  };
}

/** Whatever else of their page was not tried is found by the next pass. */
export function withFailed(state: BackfillState, mode: BackfillMode, failed: readonly Failed[]): BackfillState {
  const named = failed.map(({ object, message }) => ({ key: object.key, error: message.slice(0, mostCharacters) }));
  // An object that is in two of the ranges fails in both.
  const before = state.failed.filter(({ key }) => !named.some((one) => one.key === key));
  return {
    ...withFound(state, mode, Math.max(1, failed.length)),
    failed: [...before, ...named].slice(-mostNamed),
  };
}

const doing: Readonly<Record<BackfillMode, string>> = {
  missing: 'what is missing is being loaded',
  rejected: 'rejected events are being made anew',
  replace: 'what is there is being made anew',
};

export function describe(table: string, state: BackfillState): string {
  const mode = nextMode(state);
  const at = mode === undefined ? undefined : state.works[mode]?.after?.key;
  const loaded = `${counted(state.objects, 'lake object')} with ${counted(state.events, 'event')} loaded`;
  const lines = [
    `${table}: ${loaded} in pass ${count(state.passes + 1)}`,
    ...(mode === undefined ? [] : [`${doing[mode]}${at === undefined ? '' : `: looked up to ${at}`}`]),
  ];
  if (state.paused) lines.unshift(`paused: catchment backfill resume --table ${table} lets it go on`);
  if (state.notUnderstood !== undefined)
    lines.push(`what was asked for last is not understood: ${state.notUnderstood}`);
  if (state.refused > 0)
    lines.push(`${counted(state.refused, 'event')} rejected, since only the warehouse refuses them`);
  if (state.unreadable.length > 0) lines.push(`${counted(state.unreadable.length, 'object')} could not be read`);
  if (state.failed.length > 0)
    lines.push(`${counted(state.failed.length, 'object')} failed, to be tried in the next pass:`);
  for (const { key, error } of state.failed.slice(0, 20)) lines.push(`- ${key}: ${error}`);
  return lines.join('\n').slice(0, 8_000);
}
