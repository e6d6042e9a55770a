import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { Client, Connection } from '@temporalio/client';

import { newId } from '../../../src/ids.js';
import { objectKey } from '../../../src/keys.js';
import type { Lake } from '../../../src/providers/lake.js';
import type { Message, Queue } from '../../../src/providers/queue.js';
import { encodeReference } from '../../../src/references.js';
import { encodeBatch } from '../../../src/starter/encode.js';
import type { Pipeline } from '../../faults/pipeline.js';
import { until } from '../../until.js';
import { kill } from '../dev-harness.js';
import { currentDetails, pendingOf } from '../temporal-reads.js';
import { warehouseRows } from '../warehouse-rows.js';
import { broken, event, hows, refused, tooMany } from './events.js';
import { marker, numberMarker, sightings, textsIn } from './marker.js';

const minutes = 60_000;

/** The queues and the lake of a pipeline, past the pipeline itself. */
export interface OwnParts {
  queue(part: 'source-app' | 'secondary'): Queue;
  readonly lake: Lake;
  /** Of what is leased now, at least; as the queue makes them, or what all of them hold. */
  receipts(): readonly string[];
  loseLake(): void;
  restoreLake(): void;
  /** A folder with all that the lake holds. */
  rawObjects(): string | Promise<string>;
}

/** Sends all that an event can be, has it refused wherever it can be, and looks for it wherever it must not be. */
export async function expectNoLeaks(pipeline: Pipeline, parts: OwnParts): Promise<void> {
  await pipeline.start();
  const connection = await Connection.connect({ address: pipeline.folder.record()!.temporalAddress });
  try {
    await lookForLeaks(pipeline, new Client({ connection }), parts);
  } finally {
    await connection.close();
  }
}

async function lookForLeaks(pipeline: Pipeline, client: Client, parts: OwnParts): Promise<void> {
  /** Sends, and counts what was taken. */
  const send = async (part: 'source-app' | 'secondary', messages: readonly Message[]): Promise<void> => {
    const queue = parts.queue(part);
    try {
      const outcomes = await queue.send(messages);
      expect(outcomes.map(({ status }) => status)).toEqual(messages.map(() => 'done'));
    } finally {
      await queue.close();
    }
  };
  const leaks: string[] = [];
  const look = (where: string, texts: readonly string[]): void => {
    for (const each of texts) leaks.push(...sightings(each).map((seen) => `${where}: ${seen}`));
  };

  await send('secondary', [
    { attributes: { [`${marker}-name`]: marker }, body: Buffer.from(`{"${marker}":"${marker}"}`) },
  ]);
  await send('secondary', [await brokenObject(parts.lake)]);
  await send('source-app', [...Object.values(refused).flat(), ...broken(), tooMany, event('keeps')]);
  const rejected: Record<string, number> = Object.fromEntries(
    Object.entries(refused).map(([table, events]) => [table, events.length]),
  );
  rejected['throws'] = hows.length - 1; // what fails later than its event costs nobody
  const sql = 'SELECT table_name, count(*) AS events FROM catchment_rejected GROUP BY ALL';
  let found: Record<string, number> = {};
  const all = async (): Promise<boolean> => {
    found = Object.fromEntries(
      (await warehouseRows(pipeline.dataDir, sql)).map((row) => [String(row['table_name']), Number(row['events'])]),
    );
    return isDeepStrictEqual(found, rejected);
  };
  await until('the rejections', all, minutes).catch(() => expect({ found, said: pipeline.output }).toBe(rejected));

  const backfill = client.workflow.getHandle('backfill/privacy/many');
  let details = '';
  const says = async (): Promise<boolean> => {
    details = await currentDetails(backfill).catch((error: unknown) => String(error));
    return details.includes('more than 100');
  };
  await until('the backfill to fail', says, minutes).catch(() => expect(details).toContain('more than 100'));

  // Held, with receipts, while the lake takes nothing.
  parts.loseLake();
  await send(
    'source-app',
    Array.from({ length: 20 }, () => event('keeps')),
  );
  const held = await until('events that are held', async () => {
    for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      const [pending] = pendingOf(await client.workflow.getHandle(workflowId).describe());
      if (pending?.activity === 'persist' && pending.attempt > 1) return parts.receipts();
    }
    return undefined;
  });
  look('temporal while the lake is away', [...(await everythingInTemporal(client)).values()].flat());
  const commands = ['status', 'check', 'reconcile'].flatMap((name) => [[name], [name, '--json', '--debug']]);
  for (const command of commands) look(`${command.join(' ')} while the lake is away`, [await said(pipeline, command)]);
  parts.restoreLake();
  await until(
    'all events',
    async () => Number((await warehouseRows(pipeline.dataDir, 'SELECT count(*) AS n FROM keeps'))[0]!['n']) === 21,
    minutes,
  );

  for (const command of [...commands, ['migrate', '--dry-run'], ['query', 'SELECT CAST(secret AS INTEGER) FROM keeps']])
    look(command.join(' '), [await said(pipeline, command)]);
  look('send', [await said(pipeline, ['send', '-', '--id', '/id'], `{"id":{"${marker}":1}}\n${marker}\n`)]);
  look('send a file', [await said(pipeline, ['send', '-', '--attribute', `${marker}=${marker}`], `${marker}\n`)]);

  const manifest = await warehouseRows(pipeline.dataDir, 'SELECT * FROM catchment_loads');
  expect(manifest.some(({ problem }) => problem === 'corrupt')).toBe(true);
  look('manifest', manifest.flatMap(textsIn));
  // Ids are there by design: they name the event to its producer.
  const reasons = await warehouseRows(pipeline.dataDir, 'SELECT * EXCLUDE (event_id) FROM catchment_rejected');
  look('rejections', reasons.flatMap(textsIn));

  const temporal = await everythingInTemporal(client);
  for (const [workflow, texts] of temporal) look(`history of ${workflow}`, texts);
  kill(await pipeline.process('dev'), 'SIGTERM');
  await pipeline.folder.nothingRuns();
  look('output of dev', [pipeline.output]);
  const data = new RegExp(`^${pipeline.dataDir}/(queue|lake|staging|warehouse\\.duckdb)`);
  const files = filesBelow(pipeline.dataDir).filter((path) => !data.test(path));
  for (const path of files) look(path, [readFileSync(path, 'latin1')]);

  // That all of this is there to be looked at, and that there was something to be found.
  expect(new Set([...temporal.keys()].map((id) => id.split('/')[0]))).toEqual(
    new Set(['ingest', 'load', 'backfill', 'reconcile']),
  );
  const names = files.map((path) => path.slice(pipeline.dataDir.length + 1));
  expect(names).toEqual(expect.arrayContaining(['logs/poll.log', 'logs/worker.log', 'temporal.db']));
  // Temporal's database can be read like this: names are in it.
  const database = files.filter((path) => path.includes('temporal.db')).map((path) => readFileSync(path, 'latin1'));
  expect(database.join('')).toContain('→ raw/app/dt='.replace('→', Buffer.from('→').toString('latin1')));
  const objects = filesBelow(join(await parts.rawObjects(), 'raw')).map((path) =>
    gunzipSync(readFileSync(path)).toString('latin1'),
  );
  const kinds = ['throws', 'match', 'refined', 'long', 'uuid', 'tiny', 'time', 'many', 'keeps'];
  const places = ['_word', '_key', '-name', '-value', '-'].map((place) => `${marker}${place}`);
  const planted = [...kinds.map((kind) => `${marker} of ${kind}`), ...places, String(numberMarker)];
  expect(planted.filter((one) => !objects.some((lines) => lines.includes(one)))).toEqual([]);
  expect(held).not.toEqual([]);
  const everything =
    [...temporal.values()].flat().join('\n') + files.map((path) => readFileSync(path, 'latin1')).join('\n');
  leaks.push(...held.filter((receipt) => everything.includes(receipt)).map((receipt) => `the receipt ${receipt}`));
  expect(leaks).toEqual([]);
}

/** An object that a broken writer left in the lake, its lines no envelopes of its batch. Returns what rings for it. */
async function brokenObject(lake: Lake): Promise<Message> {
  const batch = newId();
  const deliveries = [{ id: marker, body: Buffer.from(marker), attributes: { [marker]: marker }, sentAt: new Date() }];
  const { body, sha256, events } = await encodeBatch({ source: 'app', batch: newId(), dedupeMs: 1_000, deliveries });
  const key = objectKey({ source: 'app', batch, events, hash: sha256.slice(0, 32) });
  await lake.put(key, body);
  const what = { v: 1 as const, pipeline: 'privacy', lake: lake.uri, key, batch, sha256, events, bytes: body.length };
  return { attributes: {}, body: encodeReference(what) };
}

/** What a command says, on both streams, whatever becomes of it. */
async function said(pipeline: Pipeline, args: readonly string[], input = ''): Promise<string> {
  const child = pipeline.startCommand(args);
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(out + err).not.toBe('');
  return out + err;
}

/** All that Temporal's API tells of every workflow that there was. */
async function everythingInTemporal(client: Client): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for await (const { workflowId, runId } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { raw } = await handle.describe();
    const details = await currentDetails(handle);
    all.set(`${workflowId} ${runId}`, [...textsIn(await handle.fetchHistory()), ...textsIn(raw), details]);
  }
  return all;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
