import { Argument, type Command } from 'commander';

import type { BackfillMode } from '../../activities/types.js';
import { counted } from '../../amounts.js';
import type { Followed } from '../../backfill/follow.js';
import type { BackfillPlace } from '../../backfill/requests.js';
import type { Settings } from '../../config/settings.js';
import { ConfigError } from '../../errors.js';
import { hourOf } from '../../lake-hours.js';
import type { Parts } from '../../open.js';
import type { Table } from '../../tables.js';
import type { BackfillAsk } from '../../workflows/backfill-state.js';
import { followNoting, pausedNote, withBackfills } from '../backfills.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';
import { progressBar } from '../progress.js';
import { interruption } from '../signals.js';

interface BackfillOptions extends CommonOptions {
  readonly table: string;
  readonly replace?: true;
  readonly again?: true;
  readonly rejected?: true;
  readonly reason?: string;
  readonly from?: string;
  readonly to?: string;
  readonly detach?: true;
  readonly dryRun?: true;
}

const controls = ['pause', 'resume', 'cancel'] as const;
type Control = (typeof controls)[number];

export function registerBackfill(program: Command): void {
  program
    .command('backfill')
    .description('load into a table what the lake has: what it is missing, was rejected, or is to be made anew')
    .addArgument(new Argument('[control]', 'what the one that runs is to do').choices(controls))
    .requiredOption('--table <name>', 'the table')
    .option('--replace', 'make anew what a lower version of the table made')
    .option('--again', 'with --replace: what this version made too')
    .option('--rejected', 'make the rejected events anew')
    .option('--reason <text>', 'with --rejected: those whose reason has this in it')
    .option('--from <hour>', 'from this hour of the lake on, as 2026-11-24T13 or 2026-11-24, in UTC')
    .option('--to <hour>', 'up to this hour, which is left out (default: now)')
    .option('--detach', 'start it, and do not wait for it')
    .option('--dry-run', 'only say what there is to do')
    .action((control: Control | undefined, options: BackfillOptions) =>
      withParts(options, async (settings, parts) => {
        const mode = modeOf(options);
        if (control !== undefined) return command(settings, onlyTable(control, options), options);
        return run(settings, parts, mode, options);
      }),
    );
}

function modeOf({ replace, again, rejected, reason, from, to }: BackfillOptions): BackfillMode {
  if (replace === true && rejected === true) throw new ConfigError('--replace and --rejected: one at a time');
  if (reason !== undefined && rejected !== true) throw new ConfigError('--reason: it goes with --rejected');
  if (again === true && replace !== true) throw new ConfigError('--again: it goes with --replace');
  const [start, end] = [hour('--from', from), hour('--to', to)];
  if (start !== undefined && end !== undefined && start >= end) throw new ConfigError('--from: it is not before --to');
  return replace === true ? 'replace' : rejected === true ? 'rejected' : 'missing';
}

/** A control is of all that runs: whoever names hours, or only wants to see, would be misunderstood. */
function onlyTable(control: Control, options: BackfillOptions): Control {
  const { replace, again, rejected, reason, from, to, detach, dryRun } = options;
  const others = { replace, again, rejected, reason, from, to, detach, 'dry-run': dryRun };
  const [given] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (given !== undefined) throw new ConfigError(`--${given}: it does not go with ${control}`);
  return control;
}

function hour(option: string, text: string | undefined): number | undefined {
  const time = text === undefined ? undefined : hourOf(text);
  if (text === undefined || time !== undefined) return time;
  throw new ConfigError(
    `${option}: "${text}" is no hour of the lake; write 2026-11-24T13, or 2026-11-24 for its first`,
  );
}

async function command(settings: Settings, control: Control, options: BackfillOptions): Promise<void> {
  const { table } = options;
  const { pauseBackfill, signalBackfill } = await import('../../backfill/requests.js');
  const { loadTables } = await import('../../config/load.js');
  const known = (await loadTables(settings)).some(({ name }) => name === table);
  if (!known && control !== 'cancel') throw noSuchTable(settings, table);
  const done = await withBackfills(settings, async (place) => {
    if (control !== 'pause') {
      // What a table that is no more is missing, nothing will ever load.
      return signalBackfill(place, table, control, ...(control === 'cancel' ? [{ everything: !known }] : []));
    }
    await pauseBackfill(place, table);
    return true;
  });
  const told = {
    pause: pausedNote(table),
    resume: `the backfill of ${table} goes on`,
    cancel: known
      ? `the backfill of ${table} makes nothing anew any more; what is missing it goes on loading`
      : `the backfill of ${table}, which the config does not have, ends`,
  };
  answer(options, { table, [control]: done }, () => (done ? told[control] : `no backfill of ${table} runs`));
  if (!done) doesNotHold();
}

async function run(settings: Settings, parts: Parts, mode: BackfillMode, options: BackfillOptions): Promise<void> {
  const { loadTables } = await import('../../config/load.js');
  const { countToDo } = await import('../../backfill/count.js');
  const { askBackfill } = await import('../../backfill/requests.js');
  const { withAsked, nothing } = await import('../../workflows/backfill-state.js');
  const { workflowId } = await import('../../names.js');
  const table = (await loadTables(settings)).find(({ name }) => name === options.table);
  if (table === undefined) throw noSuchTable(settings, options.table);

  const ask = askOf(mode, table, options);
  const { works, notUnderstood } = withAsked(nothing, ask, Date.now());
  if (notUnderstood !== undefined) throw new ConfigError(notUnderstood);
  const range = works[mode]!.ranges[0]!;
  const toDo = await countToDo(parts, settings, { table, mode, range }, looked);
  const what = { table: table.name, mode, workflow: workflowId.backfill(settings.pipeline, table.name), toDo };
  const todo = `${table.name}: ${counted(toDo.objects, 'lake object')} with ${counted(toDo.events, 'event')} to load`;
  if (options.dryRun === true) {
    answer(options, what, () => todo);
    return;
  }
  await withBackfills(settings, async (place) => {
    await askBackfill(place, table.name, ask);
    if (options.detach === true) {
      answer(options, what, () => `${todo}; workflow ${what.workflow}`);
      return;
    }
    note(`${todo}; workflow ${what.workflow}`);
    const last = await watch(place, table.name, toDo.objects);
    const { state, ended } = last;
    const { objects = 0, events = 0, refused = 0, unreadable = [] } = state ?? {};
    const document = { ...what, ended: ended ?? null, loaded: { objects, events }, refused, unreadable };
    answer(options, document, () => describe(table.name, last));
    if (ended !== 'COMPLETED' || unreadable.length > 0) doesNotHold();
  });
}

function askOf(mode: BackfillMode, { version }: Table, { from, to, reason, again }: BackfillOptions): BackfillAsk {
  return {
    mode,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(reason !== undefined && { reason }),
    ...(mode !== 'missing' && { version }),
    ...(again && { again }),
  };
}

function noSuchTable({ file }: Settings, table: string): ConfigError {
  return new ConfigError(`--table: ${file} has no table ${table}`);
}

function looked(objects: number): void {
  if (process.stderr.isTTY && objects % 100_000 === 0) note(`${counted(objects, 'lake object')} looked at`);
}

/** Shows how far it is until it ends, or the command is interrupted: the backfill itself goes on. */
async function watch(place: BackfillPlace, table: string, objects: number): Promise<Followed> {
  const bar = await progressBar(objects);
  let last: Followed = {};
  let before: number | undefined;
  let shown = 0;
  try {
    for await (last of followNoting(place, table, interruption())) {
      // Another page may have ended since the last look, and it may have been at work before.
      before ??= last.state?.objects;
      const done = Math.min(objects, (last.state?.objects ?? 0) - (before ?? 0));
      bar.advance(done - shown);
      shown = done;
    }
  } finally {
    bar.stop();
  }
  return last;
}

function describe(table: string, { state, ended }: Followed): string {
  if (ended === undefined) {
    return `${table}: its backfill goes on without this command; the same command, or its workflow, shows how far it is`;
  }
  if (ended !== 'COMPLETED' || state === undefined) return `${table}: its backfill ended (${ended.toLowerCase()})`;
  const { objects, events, refused, unreadable } = state;
  return [
    `${table}: ${counted(objects, 'lake object')} with ${counted(events, 'event')} loaded`,
    ...(refused > 0 ? [`${counted(refused, 'event')} rejected, since only the warehouse refuses them`] : []),
    ...unreadable.map((key) => `${key} cannot be read: bring it back, and the next reconcile loads it`),
  ].join('\n');
}
