/**
 * The bare loop: Catchment's own pollers, providers, encoder, transform and loads in one process, which call each other
 * where Catchment goes through Temporal. No server, no workflow, no second process: the ceiling that the bench divides by.
 *
 *     node bare.js CONFIG DIR
 */
import { dirname } from 'node:path';

import { asyncLocalStorage, type Context } from '@temporalio/activity';

import type { Dependencies } from '../src/activities/index.js';
import { createDiscards } from '../src/activities/discard.js';
import { createLoads } from '../src/activities/load.js';
import { createRelay } from '../src/activities/relay.js';
import { createTransform } from '../src/activities/transform.js';
import { stopSignal } from '../src/cli/signals.js';
import { loadSettings } from '../src/config/load.js';
import { newId } from '../src/ids.js';
import { createLogger } from '../src/log.js';
import { openParts } from '../src/open.js';
import { Encoder } from '../src/starter/encoder.js';
import { Holding } from '../src/starter/holding.js';
import { LoadPoller, type LoadRun } from '../src/starter/load-poller.js';
import { rhythmOf } from '../src/starter/rhythm.js';
import { SourcePoller, type IngestRun } from '../src/starter/source-poller.js';
import { createTransformer } from '../src/transform/transformer.js';

const [config, dir] = process.argv.slice(2) as [string, string];
const signal = stopSignal(true);
const log = createLogger('bare');
const settings = await loadSettings({ config, dir });
const parts = openParts(settings);
const transformer = createTransformer({ config: settings.file, dir: dirname(settings.dataDir) });
const shapes = await transformer.tables();
await parts.warehouse.migrate(shapes, 'apply');

// All that these activities ask of Temporal: where to beat, whether they are cancelled, and which attempt it is.
const context = {
  heartbeat: () => undefined,
  cancellationSignal: new AbortController().signal,
  info: { attempt: 1 },
} as unknown as Context;
asyncLocalStorage.enterWith(context);
const dependencies = { settings, parts, transformer, shapes: () => Promise.resolve(shapes) } as unknown as Dependencies;
const relay = createRelay(dependencies);
const transform = createTransform(dependencies);
const { load } = createLoads(dependencies);
const { discard } = createDiscards(dependencies);

const encoder = new Encoder();
const holding = new Holding(parts.lake, encoder, settings);

const ingest: IngestRun = async ({ source, batch }) => {
  const reference = await holding.persist({ source, batch });
  return reference === 'returned' ? reference : relay({ source, batch, reference });
};

const loadAll: LoadRun = async (objects) => {
  const id = newId();
  const { planned, folder } = await transform({ load: id, objects, tables: 'all', existing: 'keep' });
  // Every table of the bench takes something of every object, so none is left for `loadEmpty`.
  await Promise.all(planned.map(({ table, plan }) => load({ load: id, table, plan, live: true })));
  await discard({ folder });
};

const { leaseMs, freshnessMs, pipeline } = settings;
const { lingerMs, cadenceMs } = rhythmOf(freshnessMs, parts.warehouse.cadence);
const pollers = [
  ...Object.entries(parts.sources).map(
    ([source, queue]) => new SourcePoller({ source, queue, holding, leaseMs, log, ingest, lingerMs }),
  ),
  new LoadPoller({
    pipeline,
    leaseMs,
    log,
    lake: parts.lake.uri,
    queue: parts.secondary,
    load: loadAll,
    cadenceMs,
    maxObjects: parts.warehouse.cadence.maxFiles,
  }),
];
log.info('polling');
await Promise.all(pollers.map((poller) => poller.run(signal, signal)));
await Promise.all([encoder.close(), transformer.close(), parts.close()]);
process.exit();
