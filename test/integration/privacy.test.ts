import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { Client, Connection } from '@temporalio/client';
import Database from 'libsql';

import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import { duckdb } from '../../src/providers/local/duckdb.js';
import { folderLake } from '../../src/providers/local/lake.js';
import { localQueue } from '../../src/providers/local/queue.js';
import type { Message, Queue } from '../../src/providers/queue.js';
import { encodeReference } from '../../src/references.js';
import { encodeBatch } from '../../src/starter/encode.js';
import { Pipeline } from '../faults/pipeline.js';
import { until } from '../until.js';
import { kill } from './dev-harness.js';
import { broken, event, hows, refused, tooMany } from './privacy/events.js';
import { marker, numberMarker, sightings, textsIn } from './privacy/marker.js';
import { currentDetails, pendingOf } from './temporal-reads.js';

const minutes = 60_000;
const config = join(import.meta.dirname, 'privacy', 'catchment.config.ts');
let pipeline: Pipeline;
let client: Client;
let connection: Connection;

beforeAll(async () => {
  pipeline = new Pipeline(config);
  await pipeline.start();
  connection = await Connection.connect({ address: pipeline.folder.record()!.temporalAddress });
  client = new Client({ connection });
}, 3 * minutes);
afterAll(async () => {
  await connection.close();
  await pipeline.close();
}, minutes);

const place = (part: string): { pipeline: string; dataDir: string; part: string } => {
  return { pipeline: 'privacy', dataDir: pipeline.dataDir, part };
};

/** Sends, and counts what was taken. */
async function send(part: 'source-app' | 'secondary', messages: readonly Message[]): Promise<void> {
  const queue: Queue = localQueue().open(place(part));
  try {
    const outcomes = await queue.send(messages);
    expect(outcomes.map(({ status }) => status)).toEqual(messages.map(() => 'done'));
  } finally {
    await queue.close();
  }
}

/** An object that a broken writer left in the lake, its lines no envelopes of its batch. Returns what rings for it. */
async function brokenObject(): Promise<Message> {
  const batch = newId();
  const deliveries = [{ id: marker, body: Buffer.from(marker), attributes: { [marker]: marker }, sentAt: new Date() }];
  const { body, sha256, events } = await encodeBatch({ source: 'app', batch: newId(), dedupeMs: 1_000, deliveries });
  const lake = folderLake().open(place('lake'));
  const key = objectKey({ source: 'app', batch, events, hash: sha256.slice(0, 32) });
  await lake.put(key, body);
  const what = { v: 1 as const, pipeline: 'privacy', lake: lake.uri, key, batch, sha256, events, bytes: body.length };
  return { attributes: {}, body: encodeReference(what) };
}

/** The receipts of what is leased now, as the embedded queue makes them. */
function receipts(): string[] {
  const queue = new Database(join(pipeline.dataDir, 'queue', 'source-app.db'), { readonly: true });
  try {
    const rows = queue.prepare('SELECT seq, deliveries FROM lease WHERE leased = 1').all() as Record<string, number>[];
    return rows.map(({ seq, deliveries }) => `${seq}-${deliveries}`);
  } finally {
    queue.close();
  }
}

/** What a command says, on both streams, whatever becomes of it. */
async function said(args: readonly string[], input = ''): Promise<string> {
  const child = pipeline.startCommand(args);
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(out + err).not.toBe('');
  return out + err;
}

/** All that Temporal's API tells of every workflow that there was. */
async function everythingInTemporal(): Promise<Map<string, string[]>> {
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

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const warehouse = duckdb().open(place('warehouse'));
  try {
    const rows = [];
    for await (const row of warehouse.query(sql)) rows.push(row);
    return rows;
  } finally {
    await warehouse.close();
  }
}

test('the marker is found in whatever form it was written down', () => {
  const texts = ['x', 'xy', 'xyz'].map((before) => Buffer.from(`${before}${marker}more`).toString('base64'));
  const bytes = Buffer.from(marker);
  texts.push(
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    `A ${marker.toUpperCase()}.`,
    JSON.stringify(bytes),
  );
  texts.push(`${numberMarker}`, Array.from(bytes, (byte) => `\\u00${byte.toString(16)}`).join(''));
  for (const one of texts) expect(sightings(one)).not.toEqual([]);
  expect(textsIn({ data: Buffer.from(`"${marker}"`) }).flatMap(sightings)).not.toEqual([]);
  expect(sightings('{"nothing":"of it","base64":"cXp4N3Zr"}')).toEqual([]);
});

test(
  'no byte of an event, no attribute and no receipt is in a history, a log, an error or a reason',
  async () => {
    const leaks: string[] = [];
    const look = (where: string, texts: readonly string[]): void => {
      for (const each of texts) leaks.push(...sightings(each).map((seen) => `${where}: ${seen}`));
    };

    await send('secondary', [
      { attributes: { [`${marker}-name`]: marker }, body: Buffer.from(`{"${marker}":"${marker}"}`) },
    ]);
    await send('secondary', [await brokenObject()]);
    await send('source-app', [...Object.values(refused).flat(), ...broken(), ...tooMany, event('keeps')]);
    const rejected: Record<string, number> = Object.fromEntries(
      Object.entries(refused).map(([table, events]) => [table, events.length]),
    );
    rejected['throws'] = hows.length - 1; // what fails later than its event costs nobody
    const sql = 'SELECT table_name, count(*) AS events FROM catchment_rejected GROUP BY ALL';
    let found: Record<string, number> = {};
    const all = async (): Promise<boolean> => {
      found = Object.fromEntries((await query(sql)).map((row) => [String(row['table_name']), Number(row['events'])]));
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
    const lake = join(pipeline.dataDir, 'lake');
    renameSync(lake, `${lake}.away`);
    await send(
      'source-app',
      Array.from({ length: 20 }, () => event('keeps')),
    );
    const held = await until('events that are held', async () => {
      for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
        const [pending] = pendingOf(await client.workflow.getHandle(workflowId).describe());
        if (pending?.activity === 'persist' && pending.attempt > 1) return receipts();
      }
      return undefined;
    });
    look('temporal while the lake is away', [...(await everythingInTemporal()).values()].flat());
    const commands = ['status', 'check', 'reconcile'].flatMap((name) => [[name], [name, '--json', '--debug']]);
    for (const command of commands) look(`${command.join(' ')} while the lake is away`, [await said(command)]);
    renameSync(`${lake}.away`, lake);
    await until(
      'all events',
      async () => Number((await query('SELECT count(*) AS n FROM keeps'))[0]!['n']) === 21,
      minutes,
    );

    for (const command of [
      ...commands,
      ['migrate', '--dry-run'],
      ['query', 'SELECT CAST(secret AS INTEGER) FROM keeps'],
    ])
      look(command.join(' '), [await said(command)]);
    look('send', [await said(['send', '-', '--id', '/id'], `{"id":{"${marker}":1}}\n${marker}\n`)]);
    look('send a file', [await said(['send', '-', '--attribute', `${marker}=${marker}`], `${marker}\n`)]);

    const manifest = await query('SELECT * FROM catchment_loads');
    expect(manifest.some(({ problem }) => problem === 'corrupt')).toBe(true);
    look('manifest', manifest.flatMap(textsIn));
    // Ids are there by design: they name the event to its producer.
    const reasons = await query('SELECT * EXCLUDE (event_id) FROM catchment_rejected');
    look('rejections', reasons.flatMap(textsIn));

    const temporal = await everythingInTemporal();
    for (const [workflow, texts] of temporal) look(`history of ${workflow}`, texts);
    kill(await pipeline.process('dev'), 'SIGTERM');
    await pipeline.folder.nothingRuns();
    look('output of dev', [pipeline.output]);
    const data = new RegExp(`^${pipeline.dataDir}/(queue|lake|warehouse\\.duckdb)`);
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
    const objects = filesBelow(join(lake, 'raw')).map((path) => gunzipSync(readFileSync(path)).toString('latin1'));
    const kinds = ['throws', 'match', 'refined', 'long', 'uuid', 'tiny', 'time', 'many', 'keeps'];
    const places = ['_word', '_key', '-name', '-value', '-'].map((place) => `${marker}${place}`);
    const planted = [...kinds.map((kind) => `${marker} of ${kind}`), ...places, String(numberMarker)];
    expect(planted.filter((one) => !objects.some((lines) => lines.includes(one)))).toEqual([]);
    expect(held.length).toBeGreaterThanOrEqual(20);
    const everything =
      [...temporal.values()].flat().join('\n') + files.map((path) => readFileSync(path, 'latin1')).join('\n');
    leaks.push(...held.filter((receipt) => everything.includes(receipt)).map((receipt) => `the receipt ${receipt}`));
    expect(leaks).toEqual([]);
  },
  5 * minutes,
);
