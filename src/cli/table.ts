import { harmlessBeginning } from '../harmless.js';

const longestCell = 80;

/** Rows as a table for people; cells are cut at 80 characters. */
export async function renderTable(rows: readonly Record<string, unknown>[]): Promise<string> {
  const { Table } = await import('console-table-printer');
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const table = new Table({
    columns: columns.map((name) => ({ name, alignment: rows.every((row) => isNumber(row[name])) ? 'right' : 'left' })),
    shouldDisableColors: !process.stdout.isTTY,
  });
  for (const row of rows) table.addRow(Object.fromEntries(columns.map((name) => [name, cell(row[name])])));
  return table.render();
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value === null;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return harmlessBeginning(typeof value === 'string' ? value : JSON.stringify(value), longestCell);
}
