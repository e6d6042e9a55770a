import type { Lake, Provider, Queue, Warehouse } from 'catchment';

import { altered } from './altered.js';
import { passing, type Passing } from './points.js';

/** A queue whose process may stop when it has received or sent, or is about to acknowledge. */
export function aimedQueue(provider: Provider<Queue>): Provider<Queue> {
  return aimed(provider, (queue, pass, part) => {
    const at = part === 'secondary' ? 'secondary' : 'source';
    return {
      async receive(want) {
        const deliveries = await queue.receive(want);
        if (deliveries.length > 0) pass(`received from ${at}`);
        return deliveries;
      },
      async send(messages) {
        const outcomes = await queue.send(messages);
        if (at === 'secondary') pass('relayed');
        return outcomes;
      },
      async acknowledge(receipts) {
        pass(`before acknowledge of ${at}`);
        const outcomes = await queue.acknowledge(receipts);
        pass(`acknowledged ${at}`);
        return outcomes;
      },
    };
  });
}

/** A lake whose process may stop when an event's object is written, or its load files are about to be. */
export function aimedLake(provider: Provider<Lake>): Provider<Lake> {
  return aimed(provider, (lake, pass) => ({
    async put(key, body) {
      if (key.startsWith('load/')) pass('transforming');
      const outcome = await lake.put(key, body);
      if (key.startsWith('raw/')) pass('stored');
      return outcome;
    },
  }));
}

/**
 * A warehouse whose process may stop while a load or a probe is under way, or when a load is committed or a probe went well
 * and nobody knows.
 */
export function aimedWarehouse(provider: Provider<Warehouse>): Provider<Warehouse> {
  return aimed(provider, (warehouse, pass) => ({
    async load(load, staging, signal) {
      const name = { id: load.id, table: load.table.name };
      const loading = warehouse.load(load, staging, signal);
      // Later than the first step of its transaction, earlier than the last.
      setImmediate(() => setImmediate(() => pass('loading', name)));
      const result = await loading;
      // A load of nothing but what is there already commits nothing.
      if (result.events > 0) pass('committed', name);
      return result;
    },
    async probe(load, staging, signal) {
      const name = { id: load.id, table: load.table.name };
      const probing = warehouse.probe(load, staging, signal);
      setImmediate(() => setImmediate(() => pass('probing', name)));
      await probing;
      pass('probed', name);
    },
  }));
}

/** The provider with methods that note the points they pass. */
function aimed<Part extends object>(
  provider: Provider<Part>,
  methods: (part: Part, pass: Passing, name: string) => Partial<Part>,
): Provider<Part> {
  return altered(provider, (part, place) => methods(part, passing(place.dataDir), place.part));
}
