import type { Dependencies } from '../../src/activities/index.js';
import { createDiscards } from '../../src/activities/discard.js';
import { newId } from '../../src/ids.js';
import { ObjectLake } from '../fakes/object-lake.js';

const dayMs = 86_400_000;
let staging: ObjectLake;

beforeEach(() => {
  staging = new ObjectLake();
});

function discards(patienceMs = 600_000): ReturnType<typeof createDiscards> {
  return createDiscards({ settings: { patienceMs }, parts: { staging } } as unknown as Dependencies);
}

function folderOf(ageMs: number): string {
  const time = (Date.now() - ageMs).toString(16).padStart(12, '0');
  return `load/${time.slice(0, 8)}-${time.slice(8)}${newId().slice(13)}/`;
}

async function stage(folder: string, files = 2): Promise<void> {
  for (let n = 0; n < files; n++) await staging.put(`${folder}visits/${n}`, Buffer.alloc(1));
}

test("discard removes a load's files and no others", async () => {
  const [ended, underWay] = [folderOf(1_000), folderOf(2_000)];
  await stage(ended, 2_500);
  await stage(underWay);
  await staging.put('raw/app/object', Buffer.alloc(1));
  await discards().discard({ folder: ended });
  expect([...staging.objects.keys()].sort()).toEqual([`${underWay}visits/0`, `${underWay}visits/1`, 'raw/app/object']);
});

test.each([
  ['a day', 600_000, dayMs],
  ['twice the patience where that is longer', dayMs, 2 * dayMs],
])('sweep removes load files that are older than %s', async (_what, patienceMs, oldMs) => {
  const [old, young] = [folderOf(oldMs + 10_000), folderOf(oldMs - 10_000)];
  await stage(old);
  await stage(young);
  await staging.put('raw/app/object', Buffer.alloc(1));
  await discards(patienceMs).sweep();
  expect([...staging.objects.keys()].sort()).toEqual([`${young}visits/0`, `${young}visits/1`, 'raw/app/object']);
});

test('sweep leaves what is no load file of ours', async () => {
  await staging.put('load/by-hand/file', Buffer.alloc(1));
  await discards().sweep();
  expect(staging.objects.size).toBe(1);
});
