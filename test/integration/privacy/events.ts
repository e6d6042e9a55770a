import { newId } from '../../../src/ids.js';
import { pack } from '../../../src/packing.js';
import type { Message } from '../../../src/providers/queue.js';
import { marker, numberMarker } from './marker.js';

/** An event of one of the tables' kinds, with the marker in its id, its attributes' names and values, its keys and values. */
export function event(kind: string, json: object = {}): Message {
  const body = {
    secret: `${marker} of ${kind}`,
    word: `${marker}_word`,
    number: numberMarker,
    [`${marker}_key`]: 1,
    ...json,
  };
  const attributes = { kind, 'catchment-id': `${marker}-${newId()}`, [`${marker}-name`]: `${marker}-value` };
  return { body: Buffer.from(JSON.stringify(body)), attributes };
}

export const hows = 'message string name class constructor stack cause code several rejects late object'.split(' ');
/** One of each that becomes a rejection, by table. */
export const refused = {
  throws: hows.map((how) => event('throws', { how })),
  match_throws: [event('match')],
  refined: [event('refined'), event('refined', { kind: marker, byName: { [`${marker}key`]: marker } })],
  long_rows: [event('long'), event('long', { secret: 'x', kind: marker })],
  uuids: [event('uuid')],
  tiny: [event('tiny')],
  times: [event('time')],
};

/** More than the warehouse may refuse of one lake object: the table is handed over to its backfill, with the error. */
export const tooMany = pack(
  Array.from({ length: 101 }, () => {
    const { body, attributes } = event('many');
    const { 'catchment-id': id, ...rest } = attributes;
    return { id: id!, body, attributes: rest };
  }),
);

/** Bytes that no parser of ours can read. */
export function broken(): Message[] {
  const packed = { 'catchment-packed': '1', [`${marker}-name`]: marker };
  return [
    { attributes: packed, body: Buffer.from(marker) },
    { attributes: packed, body: Buffer.from(`{"events":[["${marker}",99999,{"a":"${marker}"}]]}\n${marker}`) },
    {
      attributes: { [`${marker}-name`]: marker },
      body: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(marker)]),
    },
  ];
}
