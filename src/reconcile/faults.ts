import { counted } from '../amounts.js';
import type { IdentitiesReport, ReconcileReport, TableReport } from './report.js';

/** What of a report does not hold, a line a kind: where, how much, and what to do. Empty where all holds. */
export function faultsOf({ objects, tables }: Pick<ReconcileReport, 'objects' | 'tables'>): string[] {
  return [
    ...linesOf(lakeFaults, objects, 'lake'),
    ...Object.entries(tables).flatMap(([name, table]) => [
      ...(table.problem === undefined ? [] : [`${name}: ${table.problem}`]),
      ...linesOf(tableFaults, table, name),
      ...(table.identities === undefined ? [] : linesOf(identityFaults, table.identities, name)),
    ]),
  ];
}

/** By the number that is not 0: of what it is, and what is to be said of so many. */
type Faults<Report> = readonly (readonly [number: keyof Report, noun: string, what: string])[];

function linesOf<Report>(faults: Faults<Report>, report: Report, where: string): string[] {
  return faults.flatMap(([number, noun, what]) => {
    const n = report[number] as number | undefined;
    return n === undefined || n === 0 ? [] : [`${where}: ${counted(n, noun)} ${what}`];
  });
}

const broughtBack = 'bring back the bytes that were stored under the key';
const lakeFaults: Faults<ReconcileReport['objects']> = [['unreadable', 'lake object', `unreadable: ${broughtBack}`]];

const anew = 'catchment reconcile --deep --repair makes them anew';
const told = 'catchment reconcile --deep tells which, and with --repair amends the manifest';
const tableFaults: Faults<TableReport> = [
  ['objectsMissing', 'lake object', 'not loaded: its backfill should be running, see why it fails'],
  ['objectsUnreadable', 'lake object', `unreadable when it was to be loaded: ${broughtBack}`],
  ['objectsGone', 'lake object', 'loaded, and no longer in the lake: bring it back'],
  ['rowsMissing', 'row', `fewer than its loads made, deleted by somebody: ${anew}`],
  ['rowsExtra', 'row', `more than its loads made, added by somebody, or lines were taken from its manifest: ${told}`],
  ['rowsTwice', 'row', `there twice, since a copy came later than dedupe or somebody doubled it: ${anew}`],
  ['rejectionsMissing', 'rejection', `fewer than its loads made, deleted by somebody: ${anew}`],
  ['rejectionsExtra', 'rejection', `more than its loads made, likewise: ${told}`],
];

const changed = 'deleted or added by somebody, or match or rows was changed and not the version';
const identityFaults: Faults<IdentitiesReport> = [
  ['missing', 'event', `with neither rows nor a rejection, ${changed}: ${anew}`],
  ['uneven', 'event', `with other rows than it makes, ${changed}: ${anew}`],
  ['extra', 'event', 'that no lake object has: delete its rows where somebody added them, or bring the object back'],
];
