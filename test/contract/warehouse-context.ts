import type { Lake } from '../../src/providers/lake.js';
import type { Audit, Column, Load, LoadResult, TableShape, Warehouse } from '../../src/providers/warehouse.js';
import { stageLoad, type Batch, type Copy, type TestEvent } from './warehouse-loads.js';

/** An implementation, empty or shared with other tests: every test makes tables of names of its own. */
export interface WarehouseUnderTest {
  /** As another process would open it. */
  open(): Warehouse;
  /** A lake that the warehouse can read. */
  readonly lake: Lake;
  /** Does a damage behind the warehouse's back; every instance opened is closed by then. */
  damage(table: string, what: 'delete one row' | 'double one row'): Promise<void>;
  close(): Promise<void>;
}

export const never = new AbortController().signal;
export const longAgo = new Date('2000-01-01T00:00:00Z');
export const zero: LoadResult = {
  events: 0,
  matched: 0,
  rows: 0,
  removed: 0,
  duplicates: 0,
  rejected: 0,
  cleared: 0,
};
export const text = (name: string): Column => ({ name, type: 'string', nullable: true });
export const int = (name: string): Column => ({ name, type: 'int64', nullable: true });

let tables = 0;
const newTable = (): string => `t${process.pid}_${Date.now().toString(36)}_${tables++}`;

/** What the suite's tests have in common: an open warehouse, and the short words for what they do to it. */
export class WarehouseContext {
  subject!: WarehouseUnderTest;
  warehouse!: Warehouse;
  /** Registers a test, or why it is left out. */
  readonly test: (what: string, body: () => Promise<void>) => void;

  constructor(test: WarehouseContext['test']) {
    this.test = test;
  }

  readonly shapeOf = (version = 1, columns: readonly Column[] = [text('label'), int('n')]): TableShape => ({
    name: newTable(),
    version,
    columns,
    cluster: [],
  });

  readonly made = async (version = 1, columns?: readonly Column[]): Promise<TableShape> => {
    const shape = this.shapeOf(version, columns);
    await this.warehouse.migrate([shape], 'apply');
    return shape;
  };

  readonly stage = (table: TableShape, existing: Load['existing'], batches: readonly Batch[]): Promise<Load> =>
    stageLoad(this.subject.lake, table, existing, batches);

  readonly load = async (
    table: TableShape,
    existing: Load['existing'],
    ...batches: readonly Batch[]
  ): Promise<LoadResult> => this.warehouse.load(await this.stage(table, existing, batches), this.subject.lake, never);

  readonly query = async (sql: string, of: Warehouse = this.warehouse): Promise<Record<string, unknown>[]> => {
    const rows = [];
    for await (const row of of.query(sql)) rows.push(row);
    return rows;
  };

  /** A moment by the warehouse's clock, after all that it has done. */
  readonly now = async (): Promise<string> => {
    const [row] = await this.query('SELECT CURRENT_TIMESTAMP AS at');
    return new Date(Date.parse(String(row!['at'])) + 1).toISOString();
  };

  readonly labels = async (table: TableShape): Promise<unknown[]> =>
    (await this.query(`SELECT label FROM ${table.name} ORDER BY label`)).map((row) => row['label']);

  /** The manifest agrees with the table, whatever has happened. */
  readonly audit = async (table: TableShape): Promise<Audit> => {
    const found = await this.warehouse.audit(table, longAgo);
    expect({
      rows: found.rows - found.removed,
      rejections: found.rejected - found.cleared,
      twice: found.rowsTwice,
    }).toEqual({ rows: found.rowsCounted, rejections: found.rejectionsCounted, twice: 0 });
    return found;
  };

  readonly rowOf = (event: TestEvent, ...labelled: string[]): Copy => ({
    event,
    rows: labelled.map((label, i) => ({ label, n: String(i) })),
  });

  readonly reject = (event: TestEvent, reason = 'user: expected a string'): Copy => ({ event, reason });
}
