import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { eventKey } from '../../src/events.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import type { Lake } from '../../src/providers/lake.js';
import type { Load, LoadBatch, StagedFile, TableShape } from '../../src/providers/warehouse.js';
import { encodeBatch } from '../../src/starter/encode.js';

export interface TestEvent {
  readonly id: string;
  readonly key: string;
  readonly source: string;
  readonly sentAt: string;
  readonly body: string;
}

/** A copy of an event, and what the transform made of it. */
export interface Copy {
  readonly event: TestEvent;
  /** Rows of the user's columns; none: the event makes no row any more. */
  readonly rows?: readonly Record<string, unknown>[];
  /** Rejected, for this reason. */
  readonly reason?: string;
}

export interface Batch {
  readonly batch: string;
  readonly copies: readonly Copy[];
  readonly problem?: 'gone' | 'corrupt';
  /** Of its lake object, where there is one. */
  readonly key?: string;
}

export function someEvent(options: { sentAt?: string; id?: string; body?: string } = {}): TestEvent {
  const id = options.id ?? newId();
  const body = options.body ?? id;
  return {
    id,
    key: eventKey('app', id, Buffer.from(body), {}),
    source: 'app',
    sentAt: options.sentAt ?? '2026-11-24T12:00:00.123Z',
    body,
  };
}

export const batchOf = (...copies: Copy[]): Batch => ({ batch: newId(), copies });
export const unreadable = (batch: string, problem: 'gone' | 'corrupt'): Batch => ({ batch, copies: [], problem });
export const keyOf = (batch: Batch): string =>
  batch.key ?? objectKey({ source: 'app', batch: batch.batch, events: batch.copies.length, hash: '0'.repeat(32) });

/** Puts the lake object of the batch's events there. */
export async function stored(lake: Lake, batch: Batch): Promise<Batch> {
  const deliveries = batch.copies.map(({ event: { id, body, sentAt } }) => {
    return { id, body: Buffer.from(body), attributes: {}, sentAt: new Date(sentAt) };
  });
  const { body, sha256, events } = await encodeBatch({ source: 'app', batch: batch.batch, dedupeMs: 0, deliveries });
  const key = objectKey({ source: 'app', batch: batch.batch, events, hash: sha256.slice(0, 32) });
  await lake.put(key, body);
  return { ...batch, key };
}

/** Stages the batches' load files as the transform would. */
export async function stageLoad(
  lake: Lake,
  table: TableShape,
  existing: Load['existing'],
  batches: readonly Batch[],
  id: string = newId(),
): Promise<Load> {
  const staged = await Promise.all(batches.map((batch) => stageBatch(lake, batch, `load/${newId()}/${table.name}`)));
  return { id, table, existing, batches: staged };
}

async function stageBatch(lake: Lake, batch: Batch, folder: string): Promise<LoadBatch> {
  const key = keyOf(batch);
  const times = batch.copies.map((copy) => copy.event.sentAt).sort();
  const rows = batch.copies.flatMap(({ event, rows: made, reason }) => {
    if (reason !== undefined) return [];
    const line = (row: number, columns: object) => ({
      _event_key: event.key,
      _event_id: event.id,
      _source: event.source,
      _row: row,
      _sent_at: event.sentAt,
      _batch: batch.batch,
      ...columns,
    });
    return made === undefined || made.length === 0 ? [line(-1, {})] : made.map((columns, row) => line(row, columns));
  });
  const rejections = batch.copies.flatMap(({ event, reason }, i) =>
    reason === undefined
      ? []
      : [
          {
            event_key: event.key,
            event_id: event.id,
            sent_at: event.sentAt,
            batch: batch.batch,
            key,
            line: i + 1,
            reason,
          },
        ],
  );
  return {
    batch: batch.batch,
    key,
    events: batch.copies.length,
    matched: batch.copies.length,
    lookFrom: times[0] ?? '2026-11-24T00:00:00.000Z',
    lookTo: times.at(-1) ?? '2026-11-24T00:00:00.000Z',
    ...(rows.length > 0 ? { rowsFile: await stageLines(lake, `${folder}/${batch.batch}.rows.ndjson.gz`, rows) } : {}),
    ...(rejections.length > 0
      ? { rejectionsFile: await stageLines(lake, `${folder}/${batch.batch}.rejections.ndjson.gz`, rejections) }
      : {}),
    ...(batch.problem === undefined ? {} : { problem: batch.problem }),
  };
}

async function stageLines(lake: Lake, key: string, lines: readonly object[]): Promise<StagedFile> {
  const bytes = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { level: 1 });
  await lake.put(key, bytes);
  return { key, sha256: createHash('sha256').update(bytes).digest('hex') };
}
