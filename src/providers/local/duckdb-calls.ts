import type { ErrorPlace, RefusedLine } from '../../errors.js';
import type { Finding } from '../queue.js';
import type { Audit, Change, Load, LoadResult, TableShape, Warehouse } from '../warehouse.js';

export type AuditRead = Omit<Audit, 'loadedAt'> & { readonly loadedAt?: string };

/**
 * What one process asks of the process that has the database open: a warehouse's calls, all of whose arguments and
 * answers are JSON. Lakes are told by their URI, moments are ISO 8601. Every one may be repeated without harm.
 */
export interface Calls {
  load(plan: Load, staging: string): Promise<LoadResult>;
  probe(plan: Load, staging: string): Promise<void>;
  migrate(tables: readonly TableShape[], how: 'plan' | 'apply'): Promise<Change[]>;
  owesFrom(table: string): Promise<string>;
  missing: Warehouse['missing'];
  loaded: Warehouse['loaded'];
  rejections: Warehouse['rejections'];
  audit(table: TableShape, since: string): Promise<AuditRead>;
  amend: Warehouse['amend'];
  check(): Promise<readonly Finding[]>;
  query(sql: string): AsyncIterable<Record<string, unknown>>;
}

export type CallName = keyof Calls;

/** The calls that change tables: whoever makes them is the process that the database belongs in. */
export const changing: ReadonlySet<string> = new Set<CallName>(['load', 'probe', 'migrate', 'amend']);

export const callNames: ReadonlySet<string> = new Set<CallName>([
  ...([
    'load',
    'probe',
    'migrate',
    'owesFrom',
    'missing',
    'loaded',
    'rejections',
    'audit',
    'amend',
    'check',
    'query',
  ] as const),
]);

export interface ToldError {
  readonly name: string;
  readonly message: string;
  readonly where: ErrorPlace;
  /** Of a `RowsRefused`. */
  readonly lines?: readonly RefusedLine[];
}

/** A line of an answer. Empty lines say only that the owner is still at it. */
export type Line =
  | { readonly row: Record<string, unknown> }
  | { readonly value: unknown }
  | { readonly error: ToldError }
  /** The owner lets go of the database, so that the caller can have it. */
  | { readonly yielded: true };
