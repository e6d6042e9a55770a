// What every installer of a service shares: a folder under .services/ that is there whole or not at all.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '..', '..');
const services = join(root, '.services');
const execute = promisify(execFile);

/**
 * The folder of a service, filled by `fill` unless it holds this very `version` already. It is filled beside and put in place
 * by a rename: neither a failure nor a kill leaves half of one.
 */
export async function installed(name, version, fill) {
  const place = join(services, name);
  if (versionIn(place) === version) return place;
  mkdirSync(services, { recursive: true });
  sweep(name);
  const staging = join(services, `.${name}-${process.pid}`);
  mkdirSync(staging);
  try {
    await fill(staging);
    writeFileSync(stamp(staging), version);
    // Another that installs at the same time may have put its own there meanwhile, which is as good.
    if (versionIn(place) !== version) {
      rmSync(place, { recursive: true, force: true });
      renameSync(staging, place);
    }
  } catch (error) {
    if (versionIn(place) !== version) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return place;
}

/** Runs a program to its end. What it throws says in one line what went wrong. */
export async function run(program, args, { cwd = root, env = {}, needed } = {}) {
  try {
    const { stdout, stderr } = await execute(program, args, {
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return `${stdout}${stderr}`;
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Error(`there is no ${program}; it needs ${needed ?? program}`, { cause: error });
    const said = `${error.stdout ?? ''}\n${error.stderr ?? ''}`.trim().split('\n');
    // Maven explains itself over many lines, the last of which are links; pip and go come to the point at the end.
    const line =
      said.find((each) => /\[ERROR\] +\S/.test(each))?.replace(/^.*?\[ERROR\] +/, '') ??
      said.findLast((each) => /\S/.test(each));
    throw new Error(`${program} failed: ${line ?? error.message}`, { cause: error });
  }
}

function stamp(folder) {
  return join(folder, '.installed');
}

function versionIn(folder) {
  return existsSync(stamp(folder)) ? readFileSync(stamp(folder), 'utf8') : undefined;
}

/** What a killed one left behind. */
function sweep(name) {
  for (const left of readdirSync(services)) {
    const [, pid] = new RegExp(`^\\.${name}-(\\d+)$`).exec(left) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(services, left), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
