import { newId } from '../../ids.js';
import type { Amended, TableShape } from '../warehouse.js';
import { audit } from './duckdb-audit.js';
import type { Session } from './duckdb-session.js';
import { loadsOf, text } from './duckdb-sql.js';

const now = (): string => new Date().toISOString();

/** In the session's transaction, which is the only one that changes the table at this moment. */
export async function amend(session: Session, table: TableShape): Promise<Amended> {
  const found = await audit(session, table, now());
  const amended = {
    rows: found.rows - found.removed - found.rowsCounted,
    rejections: found.rejected - found.cleared - found.rejectionsCounted,
  };
  if (amended.rows === 0 && amended.rejections === 0) return amended;
  const id = newId();
  await session.run(
    `INSERT INTO ${loadsOf(table.name)} (version, batch, load, key, events, matched, rows, removed, duplicates, rejected, ` +
      `cleared, problem, loaded_at) VALUES (${table.version}, ${text(id)}, ${text(id)}, '', 0, 0, 0, ${amended.rows}, 0, 0, ` +
      `${amended.rejections}, NULL, now())`,
  );
  return amended;
}
