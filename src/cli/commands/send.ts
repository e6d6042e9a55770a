import type { Command } from 'commander';

import type { Settings } from '../../config/settings.js';
import { ConfigError } from '../../errors.js';
import { reserved } from '../../events.js';
import type { SentFiles } from '../../send/files.js';
import type { Queue } from '../../providers/queue.js';
import { answer, doesNotHold, throttledNote, type CommonOptions } from '../output.js';
import { namedSource, withParts } from '../pipeline.js';
import { progressBar } from '../progress.js';
import { interruption } from '../signals.js';

interface SendOptions extends CommonOptions {
  readonly source?: string;
  readonly whole?: true;
  readonly attribute: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly ledger?: string;
}

export function registerSend(program: Command): void {
  program
    .command('send')
    .description(
      'send events: each line of the files is one, kept byte for byte (of the line only the line feed is no part of it)',
    )
    .argument('<files...>', 'files of newline-delimited events; - is stdin')
    .option('--source <name>', 'the source to send to (default: the only one)')
    .option('--whole', 'each file is one event')
    .option('--attribute <key=value>', 'an attribute of every event; repeatable', collectAttribute, {})
    .option('--id <pointer>', "take each event's id from its JSON, at this JSON pointer (/id)")
    .option('--ledger <file>', 'append id, SHA-256 and time of each event once it is durable')
    .action((files: string[], options: SendOptions) =>
      withParts(options, async (settings, parts) => {
        const source = chosenSource(settings, options.source);
        const result = await send(files, options, parts.sources[source]!);
        answer(options, { source, ...result }, () => describe(source, result));
        if (result.refused > 0 || result.unsent > 0 || result.interrupted) doesNotHold();
      }),
    );
}

async function send(files: string[], options: SendOptions, queue: Queue): Promise<SentFiles> {
  const { sendFiles, sizeOfFiles } = await import('../../send/files.js');
  const { idReader } = await import('../../send/pointer.js');
  const { Ledger } = await import('../../send/ledger.js');
  const idOf = options.id === undefined ? undefined : idReader(options.id);
  const bar = await progressBar(await sizeOfFiles(files));
  const ledger = options.ledger === undefined ? undefined : new Ledger(options.ledger);
  try {
    return await sendFiles(queue, files, {
      whole: options.whole === true,
      attributes: options.attribute,
      signal: interruption(),
      onRead: bar.advance,
      onRetry: throttledNote('not sent yet, trying again'),
      ...(idOf && { idOf }),
      ...(ledger && { ledger }),
    });
  } finally {
    bar.stop();
    ledger?.close();
  }
}

function collectAttribute(text: string, attributes: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new ConfigError('--attribute: write it as key=value');
  if (key.startsWith(reserved))
    throw new ConfigError(`--attribute: ${key}: names that begin with ${reserved} are reserved`);
  return { ...attributes, [key]: value };
}

function chosenSource(settings: Settings, name: string | undefined): string {
  if (name !== undefined) return namedSource(settings, name);
  const { sources, file } = settings;
  const names = Object.keys(sources);
  if (names.length > 1)
    throw new ConfigError(`${file} has several sources; name one with --source: ${names.join(', ')}`);
  return names[0]!;
}

function describe(source: string, { sent, refused, refusals, unsent, interrupted }: SentFiles): string {
  const lines = refusals.map(({ place, reason }) => `${place}: not sent: ${reason}`);
  if (refused > refusals.length) lines.push(`… and ${refused - refusals.length} more`);
  lines.push(`${sent} events are durable on ${source}`);
  if (refused > 0) lines.push(`${refused} were refused`);
  if (unsent > 0) lines.push(`${unsent} were read and may not have been sent`);
  if (interrupted) lines.push('the input was not read to its end');
  return lines.join('\n');
}
