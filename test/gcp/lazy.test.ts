import { join } from 'node:path';

import { endChildren, startChild } from '../child.js';

afterAll(endChildren);

test("a config that names Google's services loads nothing of their clients until something is asked of them", async () => {
  const child = startChild(join(import.meta.dirname, 'lazy-child.ts'));
  expect(await child.says('opened')).toBe('opened 0');
  expect(await child.says('called')).not.toBe('called 0');
});
