import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { z } from 'zod';

import { columnsOf } from '../src/columns.js';
import { importModule } from '../src/config/import.js';
import { loadTables } from '../src/config/load-tables.js';
import { typeOf } from '../src/providers/local/duckdb-sql.js';
import { mostRefused } from '../src/providers/warehouse.js';
import type { Table } from '../src/tables.js';
import { compile } from './snippets.js';
import { lakeObject, linesOf, transformHere } from './transform-objects.js';

const root = join(import.meta.dirname, '..');
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
const page = textOf(join('docs', 'tables.md'));

const dir = mkdtempSync(join(tmpdir(), 'catchment-docs-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The module that a page shows, as a user has it. */
function fileWith(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

const samplesIn = (text: string): string[] => [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code!);
/** README's own sample shows a table without the imports above it. */
const imports = "import { defineTable } from 'catchment';\nimport { z } from 'zod';\n";
const whole = (code: string): string => (/^import /m.test(code) ? code : imports + code);

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))];
const samples = pages.flatMap((name) =>
  samplesIn(textOf(name)).map((code, index) => [`${basename(name, '.md')} ${index + 1}`, whole(code)] as const),
);
const complaints = compile(Object.fromEntries(samples));

test.each(samples)('the sample %s compiles', (name) => {
  expect(complaints(name)).toEqual([]);
});

test.each(samples.filter(([, code]) => code.includes('defineTable(')))('the tables of %s load', async (name, code) => {
  const tables = await loadTables({ tables: fileWith(`${name}.ts`, code), file: '' });
  expect(tables.length).toBeGreaterThan(0);
});

/** The cells of the tables that stand behind `<!-- tested: name -->`, what is code there without its backticks. */
function rowsOf(name: string): string[][] {
  const tables = page
    .split(`<!-- tested: ${name} -->\n\n`)
    .slice(1)
    .map((text) => text.split('\n\n', 1)[0]!);
  const lines = tables.flatMap((table) => table.split('\n').slice(2));
  return lines.map((line) => Array.from(line.matchAll(/`([^`]*)`/g), ([, code]) => code!));
}

/** The schemas that the first cells write. */
async function schemasOf(rows: readonly string[][]): Promise<z.ZodType[]> {
  const list = rows.map(([schema]) => schema).join(',\n');
  const module = await importModule(fileWith('schemas.ts', `import { z } from 'zod';\nexport default [${list}];\n`));
  return module['default'] as z.ZodType[];
}

test('the columns of the page are those that follow from its schemas', async () => {
  const rows = rowsOf('columns');
  const schemas = await schemasOf(rows);
  expect(rows.length).toBeGreaterThan(25);
  const made = schemas.map((schema, index) => {
    const { columns, problems } = columnsOf(z.object({ it: schema }));
    expect(problems).toEqual([]);
    return [rows[index]![0], columns[0]!.type, typeOf(columns[0]!)];
  });
  expect(made).toEqual(rows);
});

test('each type of column is on the page', () => {
  const named = new Set(rowsOf('columns').map(([, type]) => type));
  expect([...named].sort()).toEqual('boolean date decimal double int64 json string timestamp'.split(' '));
});

test('what cannot be a column is refused with the words of the page', async () => {
  const rows = rowsOf('refused');
  const schemas = await schemasOf(rows);
  const refused = schemas.map((schema, index) => [
    rows[index]![0],
    columnsOf(z.object({ it: schema }))
      .problems.map(({ message }) => message)
      .join(),
  ]);
  expect(refused.length).toBeGreaterThan(3);
  expect(refused).toEqual(rows);
});

test('the rejections of the page read as it says', async () => {
  const rows = rowsOf('reasons');
  const [table] = (await loadTables({ tables: fileWith('first.ts', samplesIn(page)[0]!), file: '' })) as [Table];
  const request = lakeObject(rows.map(([body]) => ({ body: Buffer.from(body!) })));
  const files = await transformHere(table, request);
  expect(files.rows).toBeUndefined();
  const reasons = linesOf(files.rejections).map(({ reason }) => reason);
  expect(reasons.length).toBeGreaterThan(4);
  expect(reasons).toEqual(rows.map(([, reason]) => reason));
});

test('the limits of the page are those of the code', () => {
  const code = textOf(join('src', 'transform', 'transformer.ts'));
  const [, seconds, megabytes] = /deadlineMs: (\d+)_000,.* memoryMb: (\d+) /.exec(code)!;
  expect(page).toContain(`- **${seconds} s** for one event`);
  expect(page).toContain(`- **${Number(megabytes).toLocaleString('en')} MB** of memory`);
  expect(code).toContain('const mostVerdicts = 3;');
  expect(page).toContain('After three such events');
  expect(page).toContain(`more than ${mostRefused} events of a load`);
});
