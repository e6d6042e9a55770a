import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { startThread } from '../src/thread.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thread-'));
});
afterEach(() => rm(folder, { recursive: true }));

const module = (name: string) => pathToFileURL(join(folder, name));

const typed = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { twice } from './twice.js';
  const port = parentPort!;
  await Promise.resolve();
  port.on('message', (value: number): void => { port.postMessage(twice(value) + (workerData as number)); port.close(); });
`;

test('a module that is there only as TypeScript runs, with its imports, top-level await and worker data', async () => {
  await writeFile(module('twice.ts'), 'export const twice = (value: number): number => value * 2;');
  await writeFile(module('echo.ts'), typed);
  const thread = startThread(module('echo.js'), { workerData: 1 });
  thread.postMessage(20);
  expect(await once(thread, 'message')).toEqual([41]);
  expect(await once(thread, 'exit')).toEqual([0]);
});

test('a built module runs as it is', async () => {
  await writeFile(module('package.json'), '{"type":"module"}');
  await writeFile(
    module('echo.js'),
    `import { parentPort } from 'node:worker_threads'; parentPort.postMessage('built');`,
  );
  const thread = startThread(module('echo.js'));
  expect(await once(thread, 'message')).toEqual(['built']);
});

test('a module that throws while it loads ends in the error event', async () => {
  await writeFile(module('broken.ts'), `throw new Error('broken on purpose');`);
  const [error] = (await once(startThread(module('broken.js')), 'error').catch((error: unknown) => [error])) as [Error];
  expect(error.message).toContain('broken on purpose');
});

test('a module that is not there ends in the error event', async () => {
  const [error] = (await once(startThread(module('nowhere.js')), 'error').catch((error: unknown) => [error])) as [
    Error,
  ];
  expect(error.message).toContain('nowhere');
});
