import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';
import type { TableReport } from './report.js';

type Audited = Omit<TableReport, 'version' | 'objectsMissing' | 'objectsOutdated' | 'objectsGone' | 'identities'>;

/** Whether a table holds what its manifest says, by sums of one snapshot. */
export async function auditTable(
  warehouse: Pick<Warehouse, 'audit'>,
  table: Table,
  since: Date,
  absent: string | undefined,
): Promise<Audited> {
  if (absent !== undefined) return { ...nothing, problem: absent };
  const audit = await warehouse.audit(table.shape, since);
  const rows = audit.rows - audit.removed;
  const rejected = audit.rejected - audit.cleared;
  return {
    objectsUnreadable: audit.unreadable,
    events: audit.events,
    matched: audit.matched,
    rows: audit.rowsCounted,
    rejected: audit.rejectionsCounted,
    duplicates: audit.duplicates,
    conflicts: audit.conflicts,
    rowsMissing: Math.max(0, rows - audit.rowsCounted),
    rowsExtra: Math.max(0, audit.rowsCounted - rows),
    rowsTwice: audit.rowsTwice,
    rejectionsMissing: Math.max(0, rejected - audit.rejectionsCounted),
    rejectionsExtra: Math.max(0, audit.rejectionsCounted - rejected),
  };
}

const nothing: Audited = {
  objectsUnreadable: 0,
  events: 0,
  matched: 0,
  rows: 0,
  rejected: 0,
  duplicates: 0,
  conflicts: 0,
  rowsMissing: 0,
  rowsExtra: 0,
  rowsTwice: 0,
  rejectionsMissing: 0,
  rejectionsExtra: 0,
};
