import type { z } from 'zod';

import type { Attributes } from './events.js';
import type { TableShape } from './providers/warehouse.js';

/** An event as a table's `match` and `rows` see it. */
export interface EventView {
  readonly id: string;
  readonly sentAt: Date;
  readonly source: string;
  readonly attributes: Attributes;
  /** The bytes as they were sent. */
  readonly body: Uint8Array;
  /** The body parsed as JSON, once for all tables; undefined where it is no JSON. */
  readonly json: any; // placeholder: the type is settled by the tables' author
}

/** A mistake in a definition: `defineTable` never throws, whoever loads the tables reports them all. */
export interface TableProblem {
  /** Within the definition: `cluster[0]`. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** A row-making table, checked and erased: what the transform and the loads work with. */
export interface Table {
  readonly name: string;
  readonly version: number;
  readonly shape: TableShape;
  /** `since`, where the user moved it: what was stored from then on is owed. */
  readonly since?: Date;
  match(event: EventView): boolean;
  readonly event: z.ZodType;
  readonly row: z.ZodType;
  rows(event: unknown, context: RowsContext): unknown;
  readonly problems: readonly TableProblem[];
  /** Where `defineTable` was called. */
  readonly site: { readonly file: string; readonly line: number } | undefined;
}

/** What `rows` may look at beside the parsed event. */
export interface RowsContext {
  readonly event: EventView;
}
