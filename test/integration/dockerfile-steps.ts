import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';

import { root, stagesOf, type Instruction, type Stage } from '../compose.js';

const run = promisify(execFile);

/** Whom the image's `node` is, where the tests may act as somebody else. */
export const user = process.getuid!() === 0 ? { uid: 1000, gid: 1000 } : {};

/** Takes the steps of the Dockerfile without an engine: each stage is a folder of `base`, in which its commands run as they are. */
export async function takeSteps(base: string): Promise<Map<string, Instruction>> {
  const context = await filesOfContext();
  const all = new Map<string, Instruction>();
  for (const stage of stagesOf(await readFile(join(root, 'Dockerfile'), 'utf8'))) {
    all.clear();
    await takeStage(base, stage, context, (instruction) => all.set(instruction.name, instruction));
  }
  return all;
}

async function takeStage(
  base: string,
  { name, instructions }: Stage,
  context: readonly string[],
  taken: (instruction: Instruction) => void,
): Promise<void> {
  const folder = join(base, name);
  let workdir = folder;
  for (const instruction of instructions) {
    if (instruction.name === 'WORKDIR') await mkdir((workdir = join(folder, instruction.text)), { recursive: true });
    else if (instruction.name === 'RUN')
      await run('sh', ['-c', instruction.text], { cwd: workdir, env: environment() });
    else if (instruction.name === 'COPY') await copy(instruction, { base, folder, workdir, context });
    taken(instruction);
  }
}

/** Without what this run of Jest is told. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE|npm|JEST|TEMPORAL|AWS)_/i.test(name)),
  );
}

async function copy(
  { words, text }: Instruction,
  { base, folder, workdir, context }: { base: string; folder: string; workdir: string; context: readonly string[] },
): Promise<void> {
  const flags = words.filter((word) => word.startsWith('--'));
  const sources = words.slice(flags.length, -1);
  const to = words.at(-1)!;
  const target = to.startsWith('/') ? join(folder, to) : join(workdir, to);
  const from = /--from=(\S+)/.exec(text)?.[1];
  for (const source of sources) {
    if (from !== undefined) await copyAs(join(base, from, source), target, to);
    else {
      const files = context.filter((file) => file === source || file.startsWith(`${source}/`));
      if (files.length === 0) throw new Error(`COPY ${source}: the context has no such file`);
      for (const file of files) {
        const under = posix.relative(source, file);
        await copyAs(join(root, file), join(target, under), under === '' ? to : under);
      }
    }
  }
  if (flags.some((flag) => flag.startsWith('--chown=')) && user.uid !== undefined)
    await chown(target, user.uid, user.gid);
}

/** A file goes under its own name into what is called a folder; of a folder all that it holds. */
async function copyAs(source: string, target: string, called: string): Promise<void> {
  const into = called.endsWith('/') && (await stat(source)).isFile();
  const place = into ? join(target, posix.basename(source)) : target;
  await mkdir(dirname(place), { recursive: true });
  await cp(source, place, { recursive: true, verbatimSymlinks: true });
}

/** Of what a clone has, what .dockerignore lets through. */
async function filesOfContext(): Promise<string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout } = await run('git', list, { cwd: root, maxBuffer: 2 ** 26 });
  const lines = (await readFile(join(root, '.dockerignore'), 'utf8')).split('\n');
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return stdout.split('\0').filter((file) => file !== '' && isLetThrough(file, patterns));
}

function isLetThrough(file: string, patterns: readonly string[]): boolean {
  let through = true;
  for (const line of patterns) {
    const pattern = line.replace(/^!/, '');
    const anywhere = /^\*\*\/([\w.-]+)$/.exec(pattern)?.[1];
    const matches =
      anywhere === undefined
        ? pattern === '*' || file === pattern || file.startsWith(`${pattern}/`)
        : file.split('/').includes(anywhere);
    if (matches) through = line.startsWith('!');
  }
  return through;
}
