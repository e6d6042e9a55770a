import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { newId } from '../src/ids.js';
import type { Table } from '../src/tables.js';
import { Progress } from '../src/transform/messages.js';
import type { LoadFile, TableFiles, TransformRequest } from '../src/transform/transformer.js';
import { transformObject } from '../src/transform/work.js';
import { encodeEnvelope } from './envelope-line.js';

/** What an event of a test says; the rest is filled in. */
export interface Sent {
  readonly id?: string;
  readonly sentAt?: number;
  readonly attributes?: Record<string, string>;
  /** Bytes as they are, or a value to be sent as JSON. */
  readonly body: unknown;
}

const limits = {
  stringBytes: 1_000_000,
  jsonBytes: 1_000_000,
  jsonDepth: 200,
  minTime: '0001-01-01T00:00:00.000Z',
  maxTime: '9999-12-31T23:59:59.999Z',
};
export const dedupeMs = 86_400_000;

/** A lake object of the events, as the ingest side stores them, and the request that names it. */
export function lakeObject(events: readonly Sent[]): TransformRequest {
  const batch = newId();
  const lines = events.map(({ id = newId(), sentAt = Date.now(), attributes = {}, body }) => {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    return encodeEnvelope({ id, sentAt, attributes, body: bytes }, 'app', batch);
  });
  return objectOf(lines, batch);
}

/** An object of lines that need not be envelopes. */
export function objectOf(lines: readonly string[], batch: string): TransformRequest {
  const object = gzipSync(lines.map((line) => `${line}\n`).join(''));
  return {
    object,
    key: `raw/app/dt=2026-11-24/hr=12/${batch}.ndjson.gz`,
    source: 'app',
    batch,
    events: lines.length,
    sha256: createHash('sha256').update(object).digest('hex'),
    tables: 'all',
    existing: 'keep',
    dedupeMs,
    limits,
  };
}

/** What the object gives the table, made here and not in a thread. */
export async function transformHere(table: Table, request: TransformRequest): Promise<TableFiles> {
  const tellRowless = request.existing !== 'keep';
  const job = { ...request, tables: [table.name], tellRowless, verdicts: [], deadlineMs: 5_000 };
  const [files] = await transformObject(job, new Map([[table.name, table]]), new Progress());
  return files as TableFiles;
}

export type Line = Record<string, unknown>;

/** A load file's lines, after its hash and its count were checked. */
export function linesOf(file: LoadFile | undefined): Line[] {
  if (file === undefined) return [];
  expect(createHash('sha256').update(file.body).digest('hex')).toBe(file.sha256);
  const text = gunzipSync(file.body).toString('utf8');
  const lines = text.split('\n').slice(0, -1);
  expect(lines).toHaveLength(file.lines);
  return lines.map((line) => JSON.parse(line) as Line);
}
