import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { dataId } from '../src/config/data-id.js';
import { defineConfig } from '../src/config/define.js';
import { loadSettings, loadTables } from '../src/config/load.js';
import type { Settings } from '../src/config/settings.js';
import { ConfigError, defineTable, duckdb, folderLake, gcs, localQueue, pubsub, type Provider } from '../src/index.js';

let folder: string;
beforeEach(async () => {
  // Far from any node_modules: `catchment` and `zod` must be found all the same.
  folder = await realpath(await mkdtemp(join(tmpdir(), 'catchment-config-')));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

const config = (more = '') => `import { defineConfig } from 'catchment';

export default defineConfig({
  pipeline: 'app',
  tables: './tables.ts',
  ${more}
});
`;
const table = (name: string, more = '') => `defineTable('${name}', {
  row: z.object({ user_id: z.string(), at: z.iso.datetime() }),
  rows: () => undefined,
  ${more}
})`;
const imports = "import { defineTable } from 'catchment';\nimport { z } from 'zod';\n";

async function errorOf(loading: Promise<unknown>): Promise<string> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message.replaceAll(`${folder}/`, '');
}
const settingsError = () => errorOf(loadSettings({ config: folder }));
const tablesError = async () => errorOf(loadTables(await loadSettings({ config: folder })));

describe('defaults', () => {
  const cloud = { name: 'cloud', open: () => undefined } as unknown as Provider<never>;
  const of = (more: object) => defineConfig({ pipeline: 'app', tables: [], ...more }).settings;

  test('with no part named, the embedded ones serve, quickly', () => {
    const settings = of({});
    expect(Object.keys(settings.sources)).toEqual(['app']);
    expect(settings.lake.name).toBe('folder');
    expect(settings.warehouse.name).toBe('duckdb');
    expect(settings.staging).toBeUndefined();
    expect(settings).toMatchObject({
      freshnessMs: 1_000,
      leaseMs: 30_000,
      patienceMs: 600_000,
      dedupeMs: 259_200_000,
      surviveMs: 259_200_000,
      reconcileEveryMs: 60_000,
    });
  });

  test.each(['sources', 'lake', 'secondary', 'warehouse', 'staging'])(
    'with %s in a cloud, those of a cloud',
    (part) => {
      expect(of({ [part]: part === 'sources' ? { app: localQueue(), eu: cloud } : cloud })).toMatchObject({
        freshnessMs: 60_000,
        leaseMs: 300_000,
        reconcileEveryMs: 3_600_000,
      });
    },
  );

  test('what is named is taken; reconcile follows the lease', () => {
    const lake = folderLake();
    expect(of({ lake, lease: '5s', freshness: '500ms' })).toMatchObject({
      lake,
      leaseMs: 5_000,
      reconcileEveryMs: 10_000,
      freshnessMs: 500,
    });
    expect(of({ patience: '1h', dedupe: '1d', survive: '7d', reconcileEvery: '90s' })).toMatchObject({
      patienceMs: 3_600_000,
      dedupeMs: 86_400_000,
      surviveMs: 604_800_000,
      reconcileEveryMs: 90_000,
    });
  });
});

describe('problems say where and what to write', () => {
  const problemsOf = (given: unknown): string[] =>
    (defineConfig as (given: unknown) => ReturnType<typeof defineConfig>)(given).problems.map(
      ({ path, message }) => `${path}: ${message}`,
    );
  const good = { pipeline: 'app', tables: [] };

  test.each<[object, string]>([
    [
      { ...good, pipeline: 'My app' },
      'pipeline: is no name of a pipeline; write one of a-z, 0-9 and -, at most 40 long',
    ],
    [{ tables: [] }, "pipeline: a pipeline needs a name; write pipeline: 'app'"],
    [{ ...good, freshness: '60 seconds' }, 'freshness: is no duration; write 500ms, 90s, 10m, 12h or 3d'],
    [{ ...good, freshness: 60 }, "freshness: is no duration; write a text such as '60s'"],
    [{ ...good, freshness: '0s' }, "freshness: is too short; write at least '100ms'"],
    [{ ...good, lease: '10ms' }, "lease: is too short; write at least '1s'"],
    [{ ...good, lake: {} }, 'lake: is no provider; write a call such as folderLake()'],
    [{ ...good, warehouse: 'duckdb' }, 'warehouse: is no provider; write a call such as duckdb()'],
    [
      { ...good, sources: { secondary: localQueue() } },
      "sources: name one 'secondary', as the pipeline's own queue is called; choose another",
    ],
    [{ ...good, sources: {} }, 'sources: are empty; write sources: { app: localQueue() }'],
    [{ ...good, sources: localQueue() }, 'sources.name: is no provider; write a call such as localQueue()'],
    [
      { ...good, sources: { App_1: localQueue() } },
      'sources.App_1: is no name of a source; write one of a-z, 0-9 and -, at most 40 long',
    ],
    [{ ...good, sources: { app: 5 } }, 'sources.app: is no provider; write a call such as localQueue()'],
    [
      { ...good, sources: { app: folderLake() } },
      'sources.app: is a lake, and no queue; write a call such as localQueue()',
    ],
    [{ ...good, lake: duckdb() }, 'lake: is a warehouse, and no lake; write a call such as folderLake()'],
    [
      { ...good, secondary: gcs({ bucket: 'events' }) },
      'secondary: is a lake, and no queue; write a call such as localQueue()',
    ],
    [
      { ...good, lake: pubsub({ topic: 'app', subscription: 'app-own' }) },
      'lake: is a queue, and no lake; write a call such as folderLake()',
    ],
    [
      { pipeline: 'app' },
      "tables: are no tables; write the path of a file that exports them, './tables.ts', or an array of what defineTable returns",
    ],
    [
      { ...good, tables: [{ name: 'x' }] },
      "tables: are no tables; write the path of a file that exports them, './tables.ts', or an array of what defineTable returns",
    ],
    [
      { ...good, lakes: folderLake() },
      'lakes: there is no such setting; write one of pipeline, sources, lake, secondary, warehouse, staging, tables, freshness, lease, patience, dedupe, survive, reconcileEvery',
    ],
  ])('%j', (given, problem) => {
    expect(problemsOf(given)).toContain(problem);
  });

  test('never throws', () => {
    expect(problemsOf(undefined)).toEqual([
      ": is no object; write defineConfig({ pipeline: 'app', tables: './tables.ts' })",
    ]);
  });
});

describe('finding', () => {
  test.each(['catchment.config.ts', 'catchment.config.js', 'catchment.config.mjs'])('%s', async (name) => {
    await write({ [name]: config() });
    await expect(loadSettings({ cwd: folder })).resolves.toMatchObject({
      pipeline: 'app',
      file: join(folder, name),
      tables: join(folder, 'tables.ts'),
      dataDir: join(folder, '.catchment'),
    });
  });

  test('a file by its name, relative to the folder of the call; data in --dir', async () => {
    await write({ 'sub/prod.ts': config() });
    await expect(loadSettings({ config: 'sub/prod.ts', dir: 'data', cwd: folder })).resolves.toMatchObject({
      file: join(folder, 'sub/prod.ts'),
      tables: join(folder, 'sub/tables.ts'),
      dataDir: join(folder, 'data/.catchment'),
    });
  });

  test('none', async () => {
    expect(await errorOf(loadSettings({ cwd: folder }))).toMatch(
      /there is no catchment.config.ts; .*catchment init DIR.*--config FILE/,
    );
    expect(await errorOf(loadSettings({ config: 'nope.ts', cwd: folder }))).toMatch(
      /^nope.ts: there is no such file; .*--config FILE/,
    );
  });
});

describe('a config with a mistake', () => {
  test('file, line of the call, path, what to write; all at once', async () => {
    await write({ 'catchment.config.ts': config("freshness: 'soon' as never,\n  lakes: 1 as never,") });
    const [freshness, lakes, ...more] = (await settingsError()).split('\n');
    expect(freshness).toBe('catchment.config.ts:3: freshness: is no duration; write 500ms, 90s, 10m, 12h or 3d');
    expect(lakes).toMatch(/^catchment.config.ts:3: lakes: there is no such setting/);
    expect(more).toEqual([]);
    await expect(loadSettings({ config: folder })).rejects.toMatchObject({ where: { path: 'freshness', line: 3 } });
  });

  test.each<[string, string, RegExp]>([
    [
      'does not parse',
      "import { defineConfig } from 'catchment';\n\nexport default defineConfig({;\n",
      /^catchment.config.ts:3: Unexpected token$/,
    ],
    [
      'throws',
      '\nconst url: string | undefined = undefined as string | undefined;\nexport default (url as string).length;\n',
      /^catchment.config.ts:3: TypeError: Cannot read properties of undefined/,
    ],
    [
      'throws in a library',
      "import { z } from 'zod';\n\nexport default z.templateLiteral([z.object({}) as never]);\n",
      /^catchment.config.ts:3: Invalid template literal part/,
    ],
    ['throws what is no error', "throw 'x';\n", /^catchment.config.ts: threw something that is no Error$/],
    [
      'imports what is not there',
      "import { x } from './nope';\nexport default x;\n",
      /^catchment.config.ts:1: Cannot find module '.\/nope'/,
    ],
    [
      'calls what is not exported',
      "import { nope } from 'catchment';\n\nexport default nope();\n",
      /^catchment.config.ts:3: TypeError: .*nope.* is not a function$/,
    ],
    [
      'exports nothing',
      'export const x = 1;\n',
      /^catchment.config.ts: exports no config; write export default defineConfig/,
    ],
    [
      'exports something else',
      "export default { pipeline: 'app' };\n",
      /^catchment.config.ts: exports no config; write export default defineConfig/,
    ],
  ])('%s', async (_name, text, message) => {
    await write({ 'catchment.config.ts': text });
    expect(await settingsError()).toMatch(message);
  });

  test('the mistake of a file that it imports is that file’s', async () => {
    await write({
      'catchment.config.ts': "import './shared/queues.js';\n",
      'shared/queues.ts': '\n\nthrow new RangeError("bad");\n',
    });
    expect(await settingsError()).toBe('shared/queues.ts:3: RangeError: bad');
  });

  test('once mended, the next call reads it anew', async () => {
    await write({ 'catchment.config.ts': config("lease: 'x' as never") });
    await settingsError();
    await write({ 'catchment.config.ts': config("lease: '7s'") });
    await expect(loadSettings({ config: folder })).resolves.toMatchObject({ leaseMs: 7_000 });
  });
});

describe('tables', () => {
  test('a mistake in them does not concern who needs no tables', async () => {
    await write({ 'catchment.config.ts': config(), 'tables.ts': 'throw new Error("broken");\n' });
    await expect(loadSettings({ config: folder })).resolves.toMatchObject({ pipeline: 'app' });
    expect(await tablesError()).toBe('tables.ts:1: broken');
  });

  test('all that the file exports, each once, and nothing else', async () => {
    await write({
      'catchment.config.ts': config(),
      'shared.ts': 'export enum Kind { Web = "web" }\nexport const version = (): number => 2;\n',
      'tables.ts': `${imports}import { Kind, version } from './shared.js';
export const views = ${table('views', 'version: version(), cluster: ["user_id"], match: (event) => event.attributes.kind === Kind.Web')};
const clicks = ${table('clicks')};
export const helper = () => 1;
export const text = 'x';
export default [views, clicks];
`,
    });
    const tables = await loadTables(await loadSettings({ config: folder }));
    expect(tables.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(['clicks 1', 'views 2']);
    const views = tables.find(({ name }) => name === 'views')!;
    expect(views.site).toEqual({ file: join(folder, 'tables.ts'), line: 4 });
    expect(views.match({ attributes: { kind: 'web' } } as never)).toBe(true);
    expect(views.row.safeParse({ user_id: 'a', at: '2026-01-01T00:00:00Z' }).success).toBe(true);
  });

  test('zod is one and the same by every name', async () => {
    await write({
      'catchment.config.ts': config(),
      'tables.ts': `import { defineTable } from 'catchment';
import zDefault from 'zod';
import * as zAll from 'zod';
import { z as z4 } from 'zod/v4';
import { $ZodType } from 'zod/v4/core';
export const t = defineTable('t', { row: zDefault.object({ a: zAll.z.number().meta({ sql: 'decimal(5,2)' }), b: z4.iso.date() }), rows: () => [] });
if (!(t.row instanceof $ZodType)) throw new Error('another zod');
`,
    });
    const [t] = await loadTables(await loadSettings({ config: folder }));
    expect(t!.shape.columns).toEqual([
      { name: 'a', type: 'decimal', nullable: false, sql: 'decimal(5,2)' },
      { name: 'b', type: 'date', nullable: false },
    ]);
  });

  test('in place', async () => {
    await write({
      'catchment.config.ts': `import { defineConfig } from 'catchment';\nimport { views } from './views.js';\nexport default defineConfig({ pipeline: 'app', tables: [views] });\n`,
      'views.ts': `${imports}export const views = ${table('views', "cluster: ['user' as never]")};\n`,
    });
    expect(await tablesError()).toBe(
      'views.ts:3: tables.views.cluster[0]: "user" is no column of the row; write one of user_id, at',
    );
  });

  test('all mistakes of all tables at once, and namesakes', async () => {
    await write({
      'catchment.config.ts': config(),
      'tables.ts': `${imports}
export const a = ${table('screen_views', "cluster: ['user' as never], version: 0")};
export const b = ${table('screen_views')};
export const c = ${table('Clicks')};
`,
    });
    expect((await tablesError()).split('\n').sort()).toEqual([
      'tables.ts:14: tables.Clicks.name: is no table name; write one of a-z, 0-9 and _, not beginning with a digit, at most 63 long',
      'tables.ts:4: tables.screen_views.cluster[0]: "user" is no column of the row; write one of user_id, at',
      'tables.ts:4: tables.screen_views.version: is no version; they count from 1: version: 1',
      'tables.ts:9: tables.screen_views: is defined twice, first at tables.ts:4; give this one another name',
    ]);
  });

  test('none', async () => {
    await write({ 'catchment.config.ts': config(), 'tables.ts': 'export const x = 1;\n' });
    expect(await tablesError()).toMatch(/^tables.ts: exports no table; write export const screenViews = defineTable/);
    await write({ 'tables.ts': 'export default [];\n' });
    await expect(loadTables(await loadSettings({ config: folder }))).resolves.toEqual([]);
    await rm(join(folder, 'tables.ts'));
    expect(await tablesError()).toMatch(/^tables.ts: there is no such file/);
  });

  test('a worker thread loads the same', async () => {
    await write({
      'catchment.config.ts': config(),
      'tables.ts': `${imports}export const views = ${table('views')};\n`,
    });
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { createJiti } = require('jiti');
      (async () => {
        const { loadSettings, loadTables } = await createJiti(workerData.load).import(workerData.load);
        const [views] = await loadTables(await loadSettings({ config: workerData.folder }));
        parentPort.postMessage({ shape: views.shape, site: views.site });
      })();`;
    const load = new URL('../src/config/load.ts', import.meta.url).pathname;
    const worker = new Worker(script, { eval: true, workerData: { folder, load } });
    const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    expect(message).toMatchObject({ shape: { name: 'views' }, site: { file: join(folder, 'tables.ts'), line: 3 } });
  });
});

describe('the data folder’s id', () => {
  const settings = (more: Partial<Settings> = {}): Settings => ({
    ...defineConfig({ pipeline: 'app', tables: [defineTable('t', { row: undefined as never, rows: () => [] })] })
      .settings,
    file: join(folder, 'catchment.config.ts'),
    dataDir: join(folder, '.catchment'),
    ...more,
  });

  test('is made once, however many ask at once, and leaves nothing else', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => dataId(settings())));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await readdir(join(folder, '.catchment'))).toEqual(['id']);
    expect(await readFile(join(folder, '.catchment/id'), 'utf8')).toBe(`${ids[0]!}\n`);
    expect(await dataId(settings())).toBe(ids[0]);
  });

  test('another folder has another', async () => {
    const other = await dataId(settings({ dataDir: join(folder, 'other/.catchment') }));
    expect(other).not.toBe(await dataId(settings()));
  });

  test('there is none, and no folder, where no part is embedded', async () => {
    const cloud = { name: 'cloud', open: () => undefined } as unknown as Provider<never>;
    const parts = { sources: { app: cloud }, lake: cloud, secondary: cloud, warehouse: cloud };
    expect(await dataId(settings(parts))).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test('damaged, or in the way of it', async () => {
    await write({ '.catchment/id': '' });
    expect(await errorOf(dataId(settings()))).toMatch(/^.catchment\/id is damaged; remove it/);
    await write({ file: '' });
    expect(await errorOf(dataId(settings({ dataDir: join(folder, 'file') })))).toMatch(
      /^file\/id cannot be written \(ENOTDIR\)/,
    );
  });
});
