import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  defineConfig,
  defineTable,
  duckdb,
  folderLake,
  localQueue,
  Unavailable,
  type Lake,
  type Load,
  type Place,
  type Queue,
  type Warehouse,
} from 'catchment';
import { z } from 'zod';

import { altered } from '../faults/config/altered.js';

/** A fault lasts as long as its file lies beside `.catchment/`. */
function fault(place: Place, name: string): string | undefined {
  const file = join(place.dataDir, '..', name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

const lake = altered<Lake>(folderLake(), (part, place) => ({
  put(key, body) {
    if (fault(place, 'lake-down') !== undefined) throw new Unavailable('the lake is down');
    return part.put(key, body);
  },
}));

const secondary = altered<Queue>(localQueue(), (part, place) => ({
  send(messages) {
    if (fault(place, 'drop-doorbells') === undefined) return part.send(messages);
    return Promise.resolve(messages.map(() => ({ status: 'done' as const })));
  },
}));

/** What the file `refuse-orders` holds: nothing, or the number of events of the one object that is refused. */
function refusesOrders({ table, batches }: Load, only: string | undefined): boolean {
  if (table.name !== 'orders' || only === undefined) return false;
  return only === '' || batches.some(({ events }) => events === Number(only));
}

const warehouse = altered<Warehouse>(duckdb(), (part, place) => ({
  load(load, staging, signal) {
    if (refusesOrders(load, fault(place, 'refuse-orders'))) throw new Unavailable('orders cannot be loaded');
    return part.load(load, staging, signal);
  },
}));

/** What does not fit is refused by the warehouse alone. */
const odds = defineTable('odds', {
  match: (event) => event.json?.odd !== undefined,
  event: z.object({ odd: z.string() }),
  row: z.object({ odd: z.string().meta({ sql: 'uuid' }) }),
  rows: ({ odd }) => ({ odd }),
});

const number = { event: z.object({ n: z.number() }), row: z.object({ n: z.int() }), version: 1 };

export default defineConfig({
  pipeline: 'histories',
  lake,
  secondary,
  warehouse,
  lease: '2s',
  tables: [
    defineTable('visits', { ...number, rows: ({ n }) => ({ n }) }),
    defineTable('orders', { ...number, rows: ({ n }) => ({ n }) }),
    odds,
    defineTable('unconcerned', { ...number, match: () => false, rows: ({ n }) => ({ n }) }),
  ],
});
