import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread from a module of ours: `startThread(new URL('./queue-thread.js', import.meta.url))`.
 *
 * Built, the `.js` is there and Node runs it. From source (tests, `--import jiti/register`) only the `.ts` is: Node 20
 * cannot run that, and a worker thread inherits no transform of its parent, so jiti loads it, which takes half as long where
 * it looks for no other names. What is posted before the module listens waits for it; a module that cannot be loaded ends in
 * the worker's `error` event.
 */
export function startThread(module: URL, options: WorkerOptions = {}): Worker {
  if (existsSync(module)) return new Worker(module, options);
  const require = createRequire(import.meta.url);
  const source = module.href.replace(/\.js$/, '.ts');
  const load = `
    const { createJiti } = require(${JSON.stringify(require.resolve('jiti'))});
    createJiti(${JSON.stringify(source)}, { extensions: ['.ts', '.js'] }).import(${JSON.stringify(source)});
  `;
  return new Worker(load, { ...options, eval: true });
}
