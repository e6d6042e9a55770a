import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { duckdb } from '../../src/providers/local/duckdb.js';
import { endChildren, startChild, type Child } from '../child.js';
import { seeded } from './random.js';
import { isRejected, loaderTable, rowsOf } from './warehouse-events.js';

const strikes = 8;

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'catchment-warehouse-faults-'));
});
afterAll(async () => {
  await endChildren();
  await rm(dataDir, { recursive: true, force: true });
});

it('keeps every load that was answered, whole and once, however often its processes are killed', async () => {
  await seeded('test/faults/warehouse.test.ts', async (random) => {
    const start = () =>
      startChild(join(import.meta.dirname, 'warehouse-loader.ts'), dataDir, String(random() * 2 ** 31));
    const all: Child[] = [];
    // The successors start ahead, so that one of the two that work is replaced at once.
    let working = [start(), start()];
    let next = start();
    all.push(...working, next);
    for (let strike = 0; strike < strikes; strike++) {
      await Promise.all(working.map((child) => child.says('loaded')));
      await delay(random() * 250);
      const victim = working[Math.floor(random() * 2)]!;
      await victim.kill('SIGKILL');
      working = [...working.filter((child) => child !== victim), next];
      if (strike < strikes - 1) all.push((next = start()));
    }
    await endChildren();
    await verify(all.flatMap((child) => child.lines));
  });
});

async function verify(lines: readonly string[]): Promise<void> {
  const numbersOf = new Map<string, number[]>();
  const loaded: string[] = [];
  for (const line of lines) {
    const [what, batch, ...numbers] = line.split(' ') as [string, string, ...string[]];
    if (what === 'loading') numbersOf.set(batch, numbers.map(Number));
    if (what === 'loaded') loaded.push(batch);
  }
  expect(loaded.length).toBeGreaterThan(strikes);

  const warehouse = duckdb().open({ pipeline: 'faults', dataDir, part: 'warehouse' });
  try {
    expect(await warehouse.missing(loaderTable(1), loaded, 'any version')).toEqual([]);
    const audit = await warehouse.audit(loaderTable(1), new Date(0));
    expect(audit).toMatchObject({ rowsTwice: 0, rowsCounted: audit.rows - audit.removed });
    expect(audit.rejectionsCounted).toBe(audit.rejected - audit.cleared);

    const rows = new Map<string, { count: number; version: number }>();
    const sql =
      'SELECT _event_id AS id, count(*) AS count, min(_version) AS least, max(_version) AS version FROM loaded GROUP BY id';
    for await (const { id, count, least, version } of warehouse.query(sql)) {
      expect(least).toBe(version);
      rows.set(id as string, { count: count as number, version: version as number });
    }
    const rejected = new Set<string>();
    for await (const { event_id: id } of warehouse.query('SELECT event_id FROM catchment_rejected')) {
      expect(rejected.has(id as string) || rows.has(id as string)).toBe(false);
      rejected.add(id as string);
    }
    for (const number of new Set(loaded.flatMap((batch) => numbersOf.get(batch)!))) {
      const row = rows.get(`event-${number}`);
      if (row === undefined)
        expect([number, rejected.has(`event-${number}`), isRejected(number, 1)]).toEqual([number, true, true]);
      else
        expect([number, row.count, isRejected(number, row.version)]).toEqual([
          number,
          rowsOf(number, row.version),
          false,
        ]);
    }
    const known = new Set([...numbersOf.values()].flat().map((number) => `event-${number}`));
    expect([...rows.keys(), ...rejected].filter((id) => !known.has(id))).toEqual([]);
  } finally {
    await warehouse.close();
  }
}
