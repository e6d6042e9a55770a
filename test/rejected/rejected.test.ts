import { TableMissing } from '../../src/errors.js';
import type { Warehouse } from '../../src/providers/warehouse.js';
import { rejectedPage } from '../../src/rejected/rejected.js';
import { storedObject } from '../stored-object.js';

let key: string;
beforeAll(async () => {
  ({ key } = await storedObject([{ body: '' }]));
});

/** A warehouse with so many rejections, all of one object. */
function warehouse(count: number): { asked: unknown[] } & Pick<Warehouse, 'rejections'> {
  const asked: unknown[] = [];
  const rejections: Warehouse['rejections'] = (table, want) => {
    asked.push(want);
    if (table !== 'visits') return Promise.reject(new TableMissing(`no table ${table}`));
    const first = want.after === undefined ? 1 : Number(want.after.split(':')[1]) + 1;
    const lines = Array.from({ length: Math.min(want.limit, count - first + 1) }, (_, index) => first + index);
    return Promise.resolve(lines.map((line) => ({ key, line, reason: 'n: expected number' })));
  };
  return { asked, rejections };
}

test('pages go on where the last one ended, and the last says nothing of another', async () => {
  const three = warehouse(3);
  const first = await rejectedPage(three, { table: 'visits', limit: 2 });
  expect(first.rejections.map(({ line }) => line)).toEqual([1, 2]);
  expect(first.next).toBe(`${key}:2`);
  const last = await rejectedPage(three, { table: 'visits', limit: 2, after: first.next!, reason: 'n: ' });
  expect(last.rejections.map(({ line }) => line)).toEqual([3]);
  expect(last).not.toHaveProperty('next');
  expect(three.asked[1]).toEqual({ limit: 3, after: `${key}:2`, reason: 'n: ' });
  expect(await rejectedPage(warehouse(2), { table: 'visits', limit: 2 })).not.toHaveProperty('next');
});

test('what is no place to go on from is a wrong call, and asks nobody', async () => {
  const asked = warehouse(1);
  await expect(rejectedPage(asked, { table: 'visits', limit: 2, after: 'last' })).rejects.toThrow('--after: "last"');
  expect(asked.asked).toEqual([]);
  await expect(rejectedPage(asked, { table: 'none', limit: 2 })).rejects.toThrow(TableMissing);
});
