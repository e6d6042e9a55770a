import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { Command } from 'commander';

import { registerInit } from '../src/cli/commands/init.js';
import { loadSettings, loadTables } from '../src/config/load.js';
import { ConfigError } from '../src/errors.js';
import { openParts } from '../src/open.js';
import { createTransformer, type TableFiles } from '../src/transform/transformer.js';
import { lakeObject, linesOf } from './transform-objects.js';

const example = resolve('examples/github');
const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-example-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Webhook {
  readonly event: string;
  readonly delivery: string;
  readonly payload: object;
}

async function webhooks(): Promise<Webhook[]> {
  const { stdout } = await run(process.execPath, [join(example, 'events.mjs')], { maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Webhook);
}

test('the events are the payloads of the package, one a line, each with an id of its own that stays', async () => {
  const [events, again] = await Promise.all([webhooks(), webhooks()]);
  const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string;
    examples: object[];
  }[];
  expect(events.map(({ event, payload }) => ({ event, payload }))).toEqual(
    examples.flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload }))),
  );
  expect(new Set(events.map(({ delivery }) => delivery)).size).toBe(events.length);
  expect(again).toEqual(events);
});

describe('through the transform into the warehouse', () => {
  /** What the README says of each table. */
  const expected = {
    activity: { matched: 329, rows: 329 },
    issues: { matched: 29, rows: 29 },
    pull_requests: { matched: 29, rows: 29 },
    commits: { matched: 7, rows: 2 },
    job_steps: { matched: 8, rows: 31 },
    releases: { matched: 13, rows: 3 },
  };
  let files: readonly TableFiles[];

  beforeAll(async () => {
    const events = await webhooks();
    const transformer = createTransformer({ config: join(example, 'catchment.config.ts'), dir: folder });
    const request = lakeObject(events.map((body) => ({ id: body.delivery, body })));
    files = (await transformer.transform(request)) as TableFiles[];
    await transformer.close();

    const parts = openParts(await loadSettings({ config: example, dir: folder }));
    await parts.warehouse.migrate(
      files.map(({ shape }) => shape),
      'apply',
    );
    for (const { shape, rows, ...counts } of files) {
      const rowsFile = { key: `load/${shape.name}.ndjson.gz`, sha256: rows!.sha256 };
      await parts.staging.put(rowsFile.key, rows!.body);
      const batch = { ...counts, batch: request.batch, key: request.key, rowsFile };
      const load = { id: shape.name, table: shape, existing: 'keep' as const, batches: [batch] };
      await parts.warehouse.load(load, parts.staging, new AbortController().signal);
    }
    await parts.close();
  });

  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const parts = openParts(await loadSettings({ config: example, dir: folder }));
    try {
      const rows: Record<string, unknown>[] = [];
      for await (const row of parts.warehouse.query(sql)) rows.push(row);
      return rows;
    } finally {
      await parts.close();
    }
  }

  test('every event is taken, none is rejected, and the counts are those of the README', async () => {
    expect(files.flatMap(({ rejections }) => linesOf(rejections))).toEqual([]);
    const counts = files.map(({ table, matched, rows }) => [table, { matched, rows: rows?.lines ?? 0 }] as const);
    expect(Object.fromEntries(counts)).toEqual(expected);
    const readme = await readFile(join(example, 'README.md'), 'utf8');
    const told = [...readme.matchAll(/^\| `(\w+)`\s+\|\s+(\d+) \|\s+(\d+) \|/gm)];
    expect(
      Object.fromEntries(
        told.map(([, table, matched, rows]) => [table, { matched: Number(matched), rows: Number(rows) }]),
      ),
    ).toEqual(expected);
  });

  test('the tables are of different shapes', async () => {
    const tables = await loadTables(await loadSettings({ config: example }));
    const columns = tables.flatMap(({ shape }) => shape.columns);
    expect(new Set(columns.map(({ type }) => type))).toEqual(
      new Set(['string', 'int64', 'double', 'boolean', 'timestamp', 'json']),
    );
    expect(
      await query(
        'select count(*) filter (where milestone is null) > 0 as missing, count(milestone) > 0 as present from issues',
      ),
    ).toEqual([{ missing: true, present: true }]);
    expect(
      await query(
        "select json_extract_string(labels, '$[0].name') as label from issues where labels is not null and json_array_length(labels) > 0 limit 1",
      ),
    ).toEqual([{ label: 'bug' }]);
  });

  test('its query has an answer', async () => {
    const answer = await query(await readFile(join(example, 'query.sql'), 'utf8'));
    expect(answer).toHaveLength(8);
    expect(answer[0]).toMatchObject({ repository: 'Codertocat/Hello-World' });
  });
});

describe('init', () => {
  async function init(...args: string[]): Promise<void> {
    const program = new Command().exitOverride();
    registerInit(program);
    await program.parseAsync(['init', ...args], { from: 'user' });
  }

  test('copies the example for a new user, whose install finds this package', async () => {
    const dir = join(folder, 'My Pipeline');
    await init(dir);
    expect((await readdir(dir)).sort()).toEqual([
      'README.md',
      'catchment.config.ts',
      'events.mjs',
      'package.json',
      'query.sql',
      'tables.ts',
    ]);
    expect(await readFile(join(dir, 'tables.ts'), 'utf8')).toBe(await readFile(join(example, 'tables.ts'), 'utf8'));
    const { name, dependencies } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as {
      name: string;
      dependencies: Record<string, string>;
    };
    expect(name).toBe('my-pipeline');
    expect(resolve(dir, dependencies['catchment']!.replace(/^file:/, ''))).toBe(resolve('.'));
    await expect(loadSettings({ config: dir }).then(loadTables)).resolves.toHaveLength(6);
  });

  test('takes an empty folder, and refuses one that is not, and a file', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await init(empty);
    await expect(init(empty)).rejects.toThrow(ConfigError);
    await expect(init(empty)).rejects.toThrow(/empty is not empty; name a new folder/);
    await writeFile(join(folder, 'file'), '');
    await expect(init(join(folder, 'file'))).rejects.toThrow(/is a file; name a folder/);
  });
});
