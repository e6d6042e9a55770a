/**
 * `npm run docs`: what is said of the settings stands beside their schemas (src/config/schema.ts, src/table-check.ts); this
 * writes it into docs/configuration.md and into the comments that an editor shows. And what clouds charge into docs/aws.md and
 * docs/gcp.md.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, type Option } from 'commander';
import type { z } from 'zod';

import { documented, mandatory, type SettingDoc } from '../src/config/documented.js';
import { configSchema } from '../src/config/schema.js';
import { describeDuration } from '../src/durations.js';
import { definitionSchema } from '../src/table-check.js';
import { awsTable } from './cost/aws.js';
import { gcpTable } from './cost/gcp.js';

const root = join(import.meta.dirname, '..');
const page = join('docs', 'configuration.md');

type Settings = Readonly<Record<string, SettingDoc>>;

function docsOf(schema: z.ZodObject): Settings {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([name, setting]) => {
      const doc = documented.get(setting as z.ZodType);
      if (doc === undefined) throw new Error(`nothing is said of the setting ${name}: register it in \`documented\``);
      return [name, doc];
    }),
  );
}

/** Every file that is made, wholly or in part, with the text that it should have. */
export async function madeFiles(): Promise<ReadonlyMap<string, string>> {
  const [config, table] = [docsOf(configSchema), docsOf(definitionSchema)];
  const isDuration = ([, { unit }]: [string, SettingDoc]): boolean => unit === 'duration';
  const entries = Object.entries(config);
  let text = read(page);
  text = withSection(text, 'parts', settingsTable(entries.filter((entry) => !isDuration(entry))));
  text = withSection(text, 'durations', settingsTable(entries.filter(isDuration)));
  text = withSection(text, 'table', settingsTable(Object.entries(table)));
  text = withSection(text, 'flags', await flagsTable());
  const [aws, gcp] = [join('docs', 'aws.md'), join('docs', 'gcp.md')];
  const definition = join('src', 'config', 'define.ts');
  const tables = join('src', 'tables.ts');
  return new Map([
    [page, text],
    [aws, withSection(read(aws), 'cost', awsTable())],
    [gcp, withSection(read(gcp), 'cost', gcpTable())],
    [definition, withComments(read(definition), 'export interface Config ', config)],
    [tables, withComments(read(tables), 'export interface TableDefinition<', table)],
  ]);
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function withSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- made by npm run docs: ${name} -->\n`, '<!-- end -->'];
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < 0) throw new Error(`there is no place for ${name}: write ${begin}${end}`);
  return `${text.slice(0, start)}${begin}\n${content}\n\n${text.slice(stop)}`;
}

function settingsTable(settings: readonly [string, SettingDoc][]): string {
  const withLeast = settings.some(([, { least }]) => least !== undefined);
  const head = ['setting', 'unit', 'default', ...(withLeast ? ['least'] : []), 'what it is', 'when to change it'];
  const rows = settings.map(([name, { unit, default: value, least = '', what, change }]) => {
    return [`\`${name}\``, unit, value, ...(withLeast ? [least] : []), what, change];
  });
  return markdown([head, ...rows]);
}

/** The flags of every command, as its own `--help` has them. */
async function flagsTable(): Promise<string> {
  const commands = join(root, 'src', 'cli', 'commands');
  const rows: string[][] = [];
  for (const file of readdirSync(commands).toSorted()) {
    const module = (await import(`../src/cli/commands/${file.replace('.ts', '.js')}`)) as object;
    const program = new Command();
    for (const register of Object.values(module) as ((program: Command) => void)[]) register(program);
    for (const command of program.commands)
      for (const option of command.options.filter(({ hidden }) => !hidden)) rows.push(flagRow(command, option));
  }
  return markdown([['command', 'flag', 'default', 'what it is'], ...rows]);
}

function flagRow(command: Command, { flags, description, defaultValue }: Option): string[] {
  const isDuration = flags.includes('<duration>');
  const shown: unknown =
    typeof defaultValue !== 'number' ? defaultValue : isDuration ? describeDuration(defaultValue) : `${defaultValue}`;
  return [`\`${command.name()}\``, `\`${flags}\``, typeof shown === 'string' ? shown : '', description];
}

function markdown([head, ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head!), `|${' --- |'.repeat(head!.length)}`, ...rows.map(line)].join('\n');
}

/** The comment above each member of an interface is what its setting says. */
function withComments(source: string, declaration: string, settings: Settings): string {
  const start = source.indexOf(declaration);
  const end = source.indexOf('\n}\n', start);
  let body = source.slice(start, end);
  for (const [name, doc] of Object.entries(settings)) {
    const member = new RegExp(String.raw`(?: {2}/\*\*(?:(?!\*/)[^])*\*/\n)?( {2}readonly ${name}\??:)`);
    body = body.replace(member, (_all, signature: string) => `${comment(doc)}\n${signature}`);
  }
  return source.slice(0, start) + body + source.slice(end);
}

function comment({ what, default: value, least }: SettingDoc): string {
  const inForce = value === mandatory ? '' : `; default: ${value}`;
  const text = `${what[0]!.toUpperCase()}${what.slice(1)}${inForce}${least === undefined ? '' : `, at least ${least}`}.`;
  const lines = text.match(/\S.{0,110}(?= |$)/g)!;
  return lines.length === 1
    ? `  /** ${text} */`
    : ['  /**', ...lines.map((line) => `   * ${line}`), '   */'].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await madeFiles()) writeFileSync(join(root, path), text);
}
