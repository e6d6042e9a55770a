import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';

import { ConfigError, describeError, EventRefused } from '../errors.js';
import type { Attributes } from '../events.js';
import type { Queue } from '../providers/queue.js';
import type { Ledger } from './ledger.js';
import { splitLines } from './lines.js';
import { createSender } from './sender.js';

export interface SendFilesOptions {
  /** One event a file, not one a line. */
  readonly whole: boolean;
  readonly attributes: Attributes;
  /** Takes the id out of the event; a new one by default. Throws `EventRefused`. */
  readonly idOf?: (body: Uint8Array) => string;
  readonly ledger?: Ledger;
  /** Ends the reading: what was read is still sent, once. */
  readonly signal: AbortSignal;
  readonly onRead?: (bytes: number) => void;
  readonly onRetry?: (error: Error) => void;
}

export interface SentFiles {
  /** Events that are durable on the queue. */
  readonly sent: number;
  /** Events that the queue can never take as they are. */
  readonly refused: number;
  /** The first hundred of these. */
  readonly refusals: readonly { readonly place: string; readonly reason: string }[];
  /** Events that were read but not known to be durable when the reading was ended. */
  readonly unsent: number;
  readonly interrupted: boolean;
}

const keptRefusals = 100;

/** Bytes of all files together, undefined where stdin is among them. Throws `ConfigError` for what is no file. */
export async function sizeOfFiles(files: readonly string[]): Promise<number | undefined> {
  let bytes: number | undefined = 0;
  for (const file of files) {
    const found = file === '-' ? undefined : await stat(file).catch(() => undefined);
    if (found?.isDirectory() === true) throw new ConfigError(`${file}: is a folder; name files, or - for stdin`);
    if (file !== '-' && found === undefined)
      throw new ConfigError(`${file}: there is no such file; name files, or - for stdin`);
    bytes = found?.isFile() === true && bytes !== undefined ? bytes + found.size : undefined;
  }
  return bytes;
}

/**
 * Sends every line of the files (`-`: stdin), or every file whole, as one event, kept byte for byte. An event that is
 * refused costs only itself. Lines that are empty but for a carriage return are no events. Memory is bounded.
 */
export async function sendFiles(queue: Queue, files: readonly string[], options: SendFilesOptions): Promise<SentFiles> {
  const { signal } = options;
  const sender = createSender(queue, { attributes: options.attributes, signal, onRetry: options.onRetry });
  const longest = queue.limits.messageBytes;
  const result = { sent: 0, refused: 0, unsent: 0, refusals: [] as { place: string; reason: string }[] };
  let failure: Error | undefined;

  const refuse = (place: string, error: EventRefused): void => {
    result.refused += 1;
    if (result.refusals.length < keptRefusals) result.refusals.push({ place, reason: describeError(error) });
  };
  const submit = async (place: string, body: Uint8Array): Promise<void> => {
    try {
      const id = await sender.send({ body, id: options.idOf?.(body) });
      options.ledger?.append(id, body);
      result.sent += 1;
    } catch (error) {
      if (error instanceof EventRefused) refuse(place, error);
      else if (signal.aborted) result.unsent += 1;
      else failure ??= error as Error;
    }
  };
  const event = async (place: string, body: Uint8Array | undefined, length: number): Promise<void> => {
    if (body !== undefined) return submit(place, body);
    refuse(place, new EventRefused(`the event has ${length} bytes; the queue takes at most ${longest}`));
  };

  const sendFile = async (file: string): Promise<void> => {
    const chunks = read(file, options);
    const place = file === '-' ? 'stdin' : file;
    if (options.whole) {
      const { body, length } = await readWhole(chunks, longest);
      void event(place, body, length);
      return sender.room();
    }
    for await (const lines of splitLines(chunks, longest)) {
      for (const { number, bytes, length } of lines)
        if (!isBlank(bytes)) void event(`${place}:${number}`, bytes, length);
      await sender.room();
      if (failure !== undefined) throw failure;
    }
  };

  try {
    for (const file of files) await sendFile(file);
  } catch (error) {
    // Of what was being read when the signal came, only whole lines are events.
    if (!signal.aborted) failure ??= error as Error;
  }
  await sender.flush();
  if (failure !== undefined) throw failure;
  return { ...result, interrupted: signal.aborted };
}

async function* read(
  file: string,
  { signal, onRead }: Pick<SendFilesOptions, 'signal' | 'onRead'>,
): AsyncGenerator<Uint8Array> {
  const stream: Readable = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 262_144 });
  for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Uint8Array>) {
    onRead?.(chunk.length);
    yield chunk;
  }
}

async function readWhole(
  chunks: AsyncIterable<Uint8Array>,
  longest: number,
): Promise<{ body: Uint8Array | undefined; length: number }> {
  let kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length <= longest) kept.push(chunk);
    else kept = [];
  }
  return { body: length <= longest ? Buffer.concat(kept) : undefined, length };
}

function isBlank(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0x0d));
}
