import { renameSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'libsql';

import { folderLake } from '../../src/providers/local/lake.js';
import { localQueue } from '../../src/providers/local/queue.js';
import type { Place } from '../../src/providers/provider.js';
import { Pipeline } from '../faults/pipeline.js';
import { marker, numberMarker, sightings, textsIn } from './privacy/marker.js';
import { expectNoLeaks } from './privacy/no-leaks.js';

const minutes = 60_000;
let pipeline: Pipeline;
beforeAll(() => {
  pipeline = new Pipeline(join(import.meta.dirname, 'privacy', 'catchment.config.ts'));
}, minutes);
afterAll(() => pipeline.close(), minutes);

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
    const place = (part: string): Place => ({ pipeline: 'privacy', dataDir: pipeline.dataDir, part });
    const lake = join(pipeline.dataDir, 'lake');
    await expectNoLeaks(pipeline, {
      queue: (part) => localQueue().open(place(part)),
      lake: folderLake().open(place('lake')),
      receipts,
      loseLake: () => renameSync(lake, `${lake}.away`),
      restoreLake: () => renameSync(`${lake}.away`, lake),
      rawObjects: () => lake,
    });
  },
  5 * minutes,
);
