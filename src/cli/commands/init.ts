import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Command } from 'commander';

import { ConfigError } from '../../errors.js';
import { shellWord } from '../../shell.js';
import { answer, type CommonOptions } from '../output.js';

const packageRoot = fileURLToPath(new URL('../../..', import.meta.url));
const example = join(packageRoot, 'examples', 'github');

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('make a new project: a copy of the example, real events included')
    .argument('<dir>', 'a new or empty folder')
    .action(init);
}

async function init(dir: string, options: CommonOptions): Promise<void> {
  const target = resolve(dir);
  await refuseOccupied(target, dir);
  await mkdir(target, { recursive: true });
  // What running it in place leaves behind is no part of the example.
  await cp(example, target, {
    recursive: true,
    filter: (path) => !['.catchment', 'node_modules'].includes(basename(path)),
  });
  await nameDependency(target);
  const next = [`cd ${shellWord(dir)}`, 'npm install', 'npx catchment dev'];
  answer(options, { dir: target, next }, () =>
    [`${dir} is made. Next:`, ...next.map((line) => `  ${line}`), 'README.md says how to send its events.'].join('\n'),
  );
}

async function refuseOccupied(target: string, dir: string): Promise<void> {
  try {
    if ((await readdir(target)).length === 0) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new ConfigError(
      code === 'ENOTDIR' ? `${dir} is a file; name a folder` : `${dir} cannot be read (${code ?? 'unknown error'})`,
    );
  }
  throw new ConfigError(`${dir} is not empty; name a new folder, or empty this one`);
}

/** `npm install` must find the package that runs now: a registry's where it came from one, else this folder. */
async function nameDependency(target: string): Promise<void> {
  const file = join(target, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { name: string; dependencies: Record<string, string> };
  manifest.name =
    basename(target)
      .toLowerCase()
      .replace(/[^a-z0-9._-]/g, '-')
      .replace(/^[._]+/, '') || 'pipeline';
  if (!isFromRegistry()) manifest.dependencies['catchment'] = `file:${relative(target, packageRoot)}`;
  await writeFile(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** npm notes beside what it installed where each package came from. */
function isFromRegistry(): boolean {
  const modules = dirname(packageRoot);
  const notes = join(modules, '.package-lock.json');
  if (basename(modules) !== 'node_modules' || !existsSync(notes)) return false;
  const { packages } = JSON.parse(readFileSync(notes, 'utf8')) as { packages: Record<string, { resolved?: string }> };
  return packages[`node_modules/${basename(packageRoot)}`]?.resolved?.startsWith('http') === true;
}
