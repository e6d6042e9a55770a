import { join } from 'node:path';

import { runCli } from './run-cli.js';

const root = join(import.meta.dirname, '..');
const helps = new Map<string, Promise<string>>();
/** What `catchment COMMAND --help` says. */
export function helpOf(command: string): Promise<string> {
  const help = helps.get(command) ?? runCli([command, '--help'], root).then(({ stdout }) => stdout);
  helps.set(command, help);
  return help;
}

/** What is wrong with a call of `catchment`, as its words; undefined where nothing is. */
export async function mistakeInCall([command, ...words]: readonly string[]): Promise<string | undefined> {
  const help = await helpOf(command!);
  if (!help.startsWith(`Usage: catchment ${command!} `)) return `there is no catchment ${command!}`;
  const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!);
  const unknown = flags.find((flag) => !new RegExp(`^  ${flag}\\b`, 'm').test(help));
  return unknown === undefined ? undefined : `catchment ${command!} has no ${unknown}`;
}
