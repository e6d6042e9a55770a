import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import type { Dependencies } from '../../src/activities/index.js';
import { createTransform } from '../../src/activities/transform.js';
import type { ObjectToLoad, TransformInput, TransformResult, WorkerActivities } from '../../src/activities/types.js';
import { LakeCorrupt, TableMissing, Unavailable, UserCodeError } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import type { Load, TableShape } from '../../src/providers/warehouse.js';
import type { TableOutcome, TransformRequest } from '../../src/transform/transformer.js';
import { asActivity } from '../fakes/activity.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { until } from '../until.js';

let lake: ObjectLake;
let staging: ObjectLake;
let shapes: TableShape[];
let forgotten: number;
/** What the transform gives a table of an object; without one, a row of each event. */
let gives: Partial<Record<string, (request: TransformRequest) => TableOutcome>>;
let requests: TransformRequest[];
let waits: () => Promise<void>;

const shapeOf = (name: string, version = 1): TableShape => ({ name, version, columns: [], cluster: [] });

function fileOf(text: string): { body: Uint8Array; sha256: string; lines: number } {
  const body = gzipSync(text);
  return { body, sha256: createHash('sha256').update(body).digest('hex'), lines: text.split('\n').length - 1 };
}

function filesOf(table: string, { key, events }: TransformRequest, shape = shapeOf(table)): TableOutcome {
  const [lookFrom, lookTo] = ['2026-11-24T12:00:00.000Z', '2026-11-24T13:00:00.000Z'];
  const rows = fileOf(`a row of ${key}\n`.repeat(events));
  return { table, version: shape.version, shape, events, matched: events, lookFrom, lookTo, rows };
}

beforeEach(() => {
  lake = new ObjectLake();
  staging = new ObjectLake('memory://staging');
  shapes = [shapeOf('visits'), shapeOf('orders')];
  forgotten = 0;
  gives = {};
  requests = [];
  waits = () => Promise.resolve();
});

async function stored(events = 2): Promise<ObjectToLoad> {
  const batch = newId();
  const sha256 = createHash('sha256').update(batch).digest('hex');
  const key = objectKey({ source: 'app', batch, events, hash: sha256.slice(0, 32) });
  await lake.put(key, Buffer.from(batch));
  return { key, source: 'app', batch, events, sha256 };
}

function transform(
  objects: readonly ObjectToLoad[],
  { signal, ...asked }: Partial<TransformInput> & { signal?: AbortSignal } = {},
): Promise<TransformResult> {
  const input: TransformInput = { load: 'the load', objects, tables: 'all', existing: 'keep', ...asked };
  return asActivity(() => activity()(input), { ...(signal && { signal }) });
}

function activity(): WorkerActivities['transform'] {
  const dependencies = {
    settings: { dedupeMs: 1_000 },
    parts: { lake, staging, warehouse: { limits: {} } },
    shapes: () => Promise.resolve(shapes),
    forgetTables: () => forgotten++,
    transformer: {
      transform: (request: TransformRequest) => {
        requests.push(request);
        const names = request.tables as readonly string[];
        return waits().then(() => names.map((name) => gives[name]?.(request) ?? filesOf(name, request)));
      },
    },
  } as unknown as Dependencies;
  return createTransform(dependencies);
}

function planOf(result: TransformResult, table: string): Load {
  const { plan } = result.planned.find((one) => one.table === table)!;
  const { body } = staging.objects.get(plan.key)!;
  expect(createHash('sha256').update(body).digest('hex')).toBe(plan.sha256);
  return JSON.parse(Buffer.from(body).toString('utf8')) as Load;
}

test('each object is read once, and every table has a plan and its files under one folder', async () => {
  const objects = [await stored(2), await stored(3)];
  const result = await transform(objects);
  expect(lake.gets).toEqual(objects.map(({ key }) => key));
  expect(result.planned).toMatchObject([
    { table: 'visits', rows: 5, rejections: 0 },
    { table: 'orders', rows: 5, rejections: 0 },
  ]);
  for (const key of staging.objects.keys()) expect(key.startsWith(result.folder)).toBe(true);
  const plan = planOf(result, 'orders');
  expect(plan).toMatchObject({ id: 'the load', table: shapeOf('orders'), existing: 'keep' });
  for (const { rowsFile } of plan.batches) {
    const { body } = staging.objects.get(rowsFile!.key)!;
    expect(createHash('sha256').update(body).digest('hex')).toBe(rowsFile!.sha256);
  }
  expect(lake.objects.size).toBe(2);
});

test('another attempt writes to another folder', async () => {
  const objects = [await stored()];
  expect((await transform(objects)).folder).not.toBe((await transform(objects)).folder);
});

test('an object that is gone, or stays corrupt, is a problem of that object alone', async () => {
  const [gone, corrupt, good] = [await stored(), await stored(), await stored()];
  lake.objects.delete(gone.key);
  gives['visits'] = (request) => {
    if (request.key === corrupt.key) throw new LakeCorrupt('not what was stored');
    return filesOf('visits', request);
  };
  const result = await transform([gone, corrupt, good]);
  expect(result.unreadable).toEqual([gone.key, corrupt.key]);
  expect(result.planned).toMatchObject([{ rows: 2 }, { rows: 2 }]);
  for (const table of ['visits', 'orders']) {
    const { batches } = planOf(result, table);
    expect(batches.map(({ batch, problem }) => [batch, problem])).toEqual([
      [gone.batch, 'gone'],
      [corrupt.batch, 'corrupt'],
      [good.batch, undefined],
    ]);
  }
  expect(lake.gets.filter((key) => key === gone.key)).toHaveLength(3);
});

test('an object that is read in the end is no problem', async () => {
  const object = await stored();
  let reads = 0;
  gives['visits'] = (request) => {
    if (++reads < 3) throw new LakeCorrupt('half of it');
    return filesOf('visits', request);
  };
  expect((await transform([object])).unreadable).toEqual([]);
});

test('a lake that does not answer is no problem of the object', async () => {
  const object = await stored();
  lake.faults.get = () => Promise.reject(new Unavailable('the lake is down'));
  await expect(transform([object])).rejects.toThrow('the lake is down');
});

test('a table whose code breaks down is named, and asked no more; the others go on', async () => {
  const objects = [await stored(), await stored()];
  gives['visits'] = () => ({ table: 'visits', error: new UserCodeError('visits: mend rows') });
  const result = await transform(objects);
  expect(result.failed).toEqual([{ table: 'visits', error: 'visits: mend rows' }]);
  expect(result.planned).toMatchObject([{ table: 'orders', rows: 4 }]);
  expect(requests.map(({ tables }) => tables)).toEqual([['visits', 'orders'], ['orders']]);
});

test('a load of one table asks for no other', async () => {
  const result = await transform([await stored()], { tables: ['orders'] });
  expect(result.planned.map(({ table }) => table)).toEqual(['orders']);
  expect(requests[0]!.tables).toEqual(['orders']);
});

test('a table that this worker does not know is for another worker', async () => {
  const object = await stored();
  await expect(transform([object], { tables: ['clicks'] })).rejects.toThrow(TableMissing);
});

test('what is to be made by a higher version than this worker knows is for another worker', async () => {
  const object = await stored();
  const asked = { tables: ['visits'], existing: 'replace', version: 2, anew: '2026-11-24T12:00:00.000Z' } as const;
  await expect(transform([object], asked)).rejects.toThrow(
    "this worker's config has version 1 of it, and 2 is asked for",
  );
  shapes = [shapeOf('visits', 3)];
  gives['visits'] = (request) => filesOf('visits', request, shapeOf('visits', 3));
  const plan = planOf(await transform([object], asked), 'visits');
  expect(plan).toMatchObject({ existing: 'replace', anew: asked.anew, table: { version: 3 } });
  expect(requests[0]).toMatchObject({ existing: 'replace' });
});

test('however many backfills wait for the thread, a live object is behind one of theirs at most', async () => {
  const object = await stored();
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  waits = () => opened;
  const shared = activity();
  const run = (live: boolean): Promise<TransformResult> =>
    asActivity(() => shared({ load: `${live}`, objects: [object], tables: 'all', existing: 'keep', live }));
  const backfills = Array.from({ length: 5 }, () => run(false));
  await until('one of them', () => requests.length === 1);
  const live = [run(true), run(true)];
  await until('the live ones', () => requests.length === 3);
  open();
  await Promise.all([...backfills, ...live]);
  expect(requests).toHaveLength(7);
});

test('where the tables were changed while the worker ran, they are loaded anew', async () => {
  const object = await stored();
  gives['visits'] = (request) => filesOf('visits', request, shapeOf('visits', 2));
  await expect(transform([object])).rejects.toThrow('its definition was changed');
  expect(forgotten).toBe(1);
  shapes = [shapeOf('visits', 2), shapeOf('orders')];
  expect(planOf(await transform([object]), 'visits').table.version).toBe(2);
});

test('ends between two objects when it is cancelled', async () => {
  const objects = [await stored(), await stored()];
  const abort = new AbortController();
  gives['visits'] = (request) => {
    abort.abort(new Error('cancelled'));
    return filesOf('visits', request);
  };
  await expect(transform(objects, { signal: abort.signal })).rejects.toThrow('cancelled');
  expect(requests).toHaveLength(1);
});
