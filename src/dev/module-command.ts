import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The command that runs a module of ours as a process: built, its `.js`; from source, where only the `.ts` is there and
 * Node 20 cannot run it, jiti loads it.
 */
export function moduleCommand(module: URL): { command: string; args: string[] } {
  if (existsSync(module)) return { command: process.execPath, args: [fileURLToPath(module)] };
  const source = fileURLToPath(module).replace(/\.js$/, '.ts');
  return { command: process.execPath, args: ['--import', import.meta.resolve('jiti/register'), source] };
}
