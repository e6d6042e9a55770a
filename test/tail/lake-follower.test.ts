import { hourPrefix } from '../../src/keys.js';
import { LakeFollower, lateMs } from '../../src/tail/lake-follower.js';
import { MemoryLake } from '../fakes/stores.js';

const minute = 60_000;
const hour = 60 * minute;
let lake: MemoryLake;
let start: number;
beforeEach(() => {
  lake = new MemoryLake();
  start = Date.now();
});

async function pass(follower: LakeFollower, now: number): Promise<string[]> {
  const batches = [];
  for await (const { batch } of follower.pass(now)) batches.push(batch);
  return batches;
}

test('what is there at the start is not new, and what comes is shown once', async () => {
  lake.add(start - hour);
  lake.add(start - 1_000);
  const follower = new LakeFollower(lake, ['app'], undefined);
  expect(await pass(follower, start)).toEqual([]);
  const first = lake.add(start + 1_000);
  expect(await pass(follower, start + 2_000)).toEqual([first]);
  expect(await pass(follower, start + 3_000)).toEqual([]);
  const second = lake.add(start + 3_000);
  expect(await pass(follower, start + 4_000)).toEqual([second]);
});

test('a batch that becomes visible behind newer ones is shown as long as two hours later, and once', async () => {
  const follower = new LakeFollower(lake, ['app'], undefined);
  await pass(follower, start);
  lake.add(start + 1_000);
  await pass(follower, start + 2_000);
  const late = lake.add(start - lateMs + minute);
  const tooLate = lake.add(start - lateMs - hour);
  const shown: string[] = [];
  for (let now = start + 3_000; now < start + 50_000; now += 1_000) shown.push(...(await pass(follower, now)));
  expect(shown).toEqual([late]);
  expect(shown).not.toContain(tooLate);
});

test('most listings look no further back than a minute', async () => {
  const follower = new LakeFollower(lake, ['app'], undefined);
  for (let now = start; now < start + 60_000; now += 1_000) await pass(follower, now);
  const whole = lake.listedAfter.filter((after) => after! < hourPrefix('app', start - hour));
  expect(lake.listedAfter).toHaveLength(60);
  expect(whole).toHaveLength(3);
});

test('with a beginning, what was written since then is shown, whenever its batch closed, and all sources in one order', async () => {
  const since = start - 10 * minute;
  lake.add(start - 2 * hour);
  lake.add(since - 1_000);
  const late = lake.add(since - hour, { writtenAt: since });
  const mine = [0, 2, 4].map((n) => lake.add(since + n * minute));
  const other = [1, 3].map((n) => lake.add(since + n * minute, { source: 'web' }));
  lake.add(since + minute, { source: 'unasked' });
  const follower = new LakeFollower(lake, ['app', 'web'], since);
  expect(await pass(follower, start)).toEqual([late, mine[0], other[0], mine[1], other[1], mine[2]]);
  expect(await pass(follower, start + 30_000)).toEqual([]);
});

test('a pass that is left half way yields again what it left, and nothing else', async () => {
  const follower = new LakeFollower(lake, ['app'], start - hour);
  const batches = [1, 2, 3].map((n) => lake.add(start - n * minute)).reverse();
  for await (const { batch } of follower.pass(start)) if (batch === batches[1]) break;
  expect(await pass(follower, start + 1_000)).toEqual(batches.slice(1));
  expect(await pass(follower, start + 2_000)).toEqual([]);
});

test('it remembers the hours that it looks at, however long it runs and however much there is', async () => {
  const follower = new LakeFollower(lake, ['app'], start - 100 * hour);
  for (let at = start - 100 * hour; at < start; at += minute) lake.add(at);
  expect(await pass(follower, start)).toHaveLength(6_000);
  expect(follower.remembered).toBeLessThan(200);
  for (let now = start; now < start + 10 * hour; now += minute) {
    lake.add(now);
    expect(await pass(follower, now)).toHaveLength(1);
  }
  expect(follower.remembered).toBeLessThan(200);
}, 60_000);

test('a file that is no object of ours is not shown', async () => {
  lake.objects.set(`${hourPrefix('app', start)}notes.txt`, new Date());
  expect(await pass(new LakeFollower(lake, ['app'], start - minute), start)).toEqual([]);
});
