import { createCompare } from '../../src/activities/compare.js';
import type { Dependencies } from '../../src/activities/index.js';
import { asActivity } from '../fakes/activity.js';
import { MemoryQueue } from '../fakes/queue.js';
import { MemoryLake, MemoryManifest } from '../fakes/stores.js';

test('how many objects are compared is told with each beat', async () => {
  const lake = new MemoryLake();
  const manifest = new MemoryManifest(lake);
  for (let object = 0; object < 2_500; object++) lake.add(Date.now() - object);
  const dependencies = {
    settings: { sources: { app: {} }, leaseMs: 1_000, patienceMs: 1_000, surviveMs: 86_400_000 },
    parts: { sources: {}, secondary: new MemoryQueue(), lake, warehouse: manifest.warehouse },
    tables: () => Promise.resolve([]),
  } as unknown as Dependencies;
  const beats: unknown[] = [];
  const outcome = await asActivity(() => createCompare(dependencies)({ full: true }), { beats });
  expect(outcome).toMatchObject({ ok: true, objects: { lake: 2_500 } });
  expect(beats).toEqual(['1,000', '2,000', '2,500'].map((n) => `${n} lake objects compared`));
});
