import fc from 'fast-check';

import { envelopeBytes } from '../src/envelope.js';
import { cleanAttributes, cleanName, type Attributes } from '../src/events.js';
import { measure, pack, single, unpack, type OutgoingEvent } from '../src/packing.js';
import type { Message } from '../src/providers/queue.js';
import { anyBody, anyText, attributesOf } from './arbitraries.js';

const sentAt = new Date('2026-11-24T12:00:00.007Z');
const threeDays = 3 * 86_400_000;
const delivery = (message: Message) => ({ ...message, id: 'queue-id', sentAt });
const open = (message: Message) => unpack(delivery(message), threeDays);

const notReserved = (attributes: Attributes): boolean =>
  Object.keys(attributes).every((name) => !name.startsWith('catchment-'));
const anyAttributes = attributesOf(anyText).filter(notReserved);
const anyId = anyText.filter((id) => id !== '');
const anyEvent: fc.Arbitrary<OutgoingEvent> = fc.record({ id: anyId, attributes: anyAttributes, body: anyBody });

test('what is packed comes out as it went in, in order', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 8 }), anyAttributes, (events, common) => {
      const unpacked = open(pack(events, common));
      expect(unpacked).toHaveLength(events.length);
      for (const [index, { id, attributes, body }] of events.entries()) {
        const event = unpacked[index]!;
        expect(event.id).toBe(cleanName(id));
        expect(event.sentAt).toBe(sentAt.getTime());
        expect(Buffer.compare(event.body, body)).toBe(0);
        expect(event.attributes).toEqual({ ...cleanAttributes(common), ...cleanAttributes(attributes) });
      }
    }),
    { numRuns: 500 },
  );
});

test('an event on its own keeps its id, and nobody else makes it a packed one', () => {
  fc.assert(
    fc.property(anyEvent, ({ id, attributes, body }) => {
      const [event, ...others] = open(single({ id, attributes: { ...attributes, 'catchment-packed': '1' }, body }));
      expect(others).toEqual([]);
      expect(event).toMatchObject({ id: cleanName(id), sentAt: sentAt.getTime() });
      expect(event!.attributes).toEqual(cleanAttributes(attributes));
      expect(Buffer.compare(event!.body, body)).toBe(0);
    }),
  );
});

test('a message of any producer is one event by the queue’s own id', () => {
  const attributes = { type: 'x' };
  expect(open({ body: Buffer.from('{"events":[["a",0]]}\n'), attributes })).toEqual([
    { id: 'queue-id', sentAt: sentAt.getTime(), attributes, body: Buffer.from('{"events":[["a",0]]}\n') },
  ]);
});

test('an empty id is none, so that events of equal bytes stay apart', () => {
  expect(open({ body: Buffer.from('a'), attributes: { 'catchment-id': '' } })).toMatchObject([{ id: 'queue-id' }]);
});

test('attributes of ours reach no event, from wherever they come', () => {
  const ours = { 'catchment-id': 'x', 'catchment-anything': 'y', 'catchment-': 'z' };
  const event = { id: 'a', attributes: { ...ours, own: '1' }, body: Buffer.from('a') };
  expect(open(pack([event], { ...ours, common: '2' }))[0]).toMatchObject({
    id: 'a',
    attributes: { own: '1', common: '2' },
  });
  expect(open({ body: Buffer.from('a'), attributes: { ...ours, own: '1' } })[0]).toEqual({
    id: 'x',
    sentAt: sentAt.getTime(),
    attributes: { own: '1' },
    body: Buffer.from('a'),
  });
});

test('an event’s own attribute comes before one that is common to all', () => {
  const event = { id: 'a', attributes: { type: 'own' }, body: Buffer.from('a') };
  expect(open(pack([event], { type: 'common', app: 'x' }))[0]!.attributes).toEqual({ type: 'own', app: 'x' });
});

test('the time of an event is that of its id, where that can be, else the queue’s', () => {
  const idAt = (time: number): string => {
    const hex = time.toString(16).padStart(12, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
  };
  const times = [0, -threeDays, threeDays].map((by) => sentAt.getTime() + by);
  const tooFar = [-threeDays - 1, threeDays + 1].map((by) => sentAt.getTime() + by);
  const events = [...times, ...tooFar].map((time) => ({ id: idAt(time), attributes: {}, body: Buffer.from('a') }));
  const now = sentAt.getTime();
  expect(open(pack(events)).map((event) => event.sentAt)).toEqual([...times, now, now]);
  expect(events.map((event) => open(single(event))[0]!.sentAt)).toEqual([...times, now, now]);
});

test('is measured as its events are, each by itself', () => {
  const event = fc.record({ id: fc.uuid(), attributes: anyAttributes, body: anyBody });
  fc.assert(
    fc.property(fc.array(event, { minLength: 1 }), (events) => {
      const bytes = events.reduce((sum, { attributes, body }) => sum + envelopeBytes(body.length, attributes), 0);
      expect(measure(delivery(pack(events)))).toEqual({ events: events.length, bytes });
      const alone = measure(delivery(single(events[0]!)));
      expect(alone.events).toBe(1);
      expect(alone.bytes).toBeGreaterThanOrEqual(envelopeBytes(events[0]!.body.length, events[0]!.attributes));
    }),
  );
});

describe('a packed message that cannot be read', () => {
  const good = pack([
    { id: 'a', attributes: {}, body: Buffer.from('first') },
    { id: 'b', attributes: { type: 'x' }, body: Buffer.from('second') },
  ]);
  const packed = (body: string | Uint8Array): Message => ({
    attributes: { 'catchment-packed': '1', type: 'x' },
    body: typeof body === 'string' ? Buffer.from(body) : body,
  });
  const expectOneAsItCame = (message: Message): void => {
    const bytes = envelopeBytes(message.body.length, message.attributes);
    expect(measure(delivery(message))).toEqual({ events: 1, bytes, broken: true });
    const [event, ...others] = open(message);
    expect(others).toEqual([]);
    // The body by its identity: comparing megabytes takes seconds.
    expect({ ...event, body: event!.body === message.body }).toEqual({
      id: 'queue-id',
      sentAt: sentAt.getTime(),
      attributes: message.attributes,
      body: true,
    });
  };

  test.each([
    ['is empty', ''],
    ['has no header line', '{"events":[["a",0]]}'],
    ['has no JSON in it', 'events\nabc'],
    ['has no events', '{"events":[]}\n'],
    ['has other JSON in it', '[]\n'],
    ['is null', 'null\n'],
    ['has events of another kind', '{"events":{"0":["a",1]}}\nx'],
    ['has an event that is none', '{"events":[null]}\n'],
    ['has an id that is no string', '{"events":[[1,1]]}\nx'],
    ['has an empty id', '{"events":[["",1]]}\nx'],
    ['has a length that is no number', '{"events":[["a","1"]]}\nx'],
    ['has a negative length', '{"events":[["a",-1],["b",2]]}\nx'],
    ['has a broken length', '{"events":[["a",0.5],["b",0.5]]}\nx'],
    ['has an endless length', '{"events":[["a",1e400]]}\nx'],
    ['has too few bytes', '{"events":[["a",2]]}\nx'],
    ['has too many bytes', '{"events":[["a",1]]}\nxy'],
    ['has attributes that are no strings', '{"events":[["a",1,{"n":1}]]}\nx'],
    ['has attributes that are a list', '{"events":[["a",1,["n"]]]}\nx'],
    ['has attributes that are null', '{"events":[["a",1,null]]}\nx'],
    ['has common attributes that are no strings', '{"events":[["a",1]],"attributes":{"n":null}}\nx'],
    ['begins with a byte order mark', '\ufeff{"events":[["a",1]]}\nx'],
  ])('because it %s is one event, as it came', (_what, body) => expectOneAsItCame(packed(body)));

  test('because an id is no UTF-8 is one event, so that two ids never become one', () => {
    const head = Buffer.concat([Buffer.from('{"events":[["'), Buffer.from([0xff]), Buffer.from('",1]]}\nx')]);
    expectOneAsItCame(packed(head));
  });

  test('because it was cut anywhere is one event', () => {
    for (let length = 0; length < good.body.length; length++) {
      expectOneAsItCame(packed(good.body.subarray(0, length)));
    }
  });

  test('because it would expand beyond all bounds is one event', () => {
    const bomb = JSON.stringify({ events: Array.from({ length: 400_000 }, () => ['a', 0]), attributes: {} });
    expectOneAsItCame(packed(`${bomb}\n`));
    const wide = { events: Array.from({ length: 1_000 }, () => ['a', 0]), attributes: { a: 'x'.repeat(70_000) } };
    expectOneAsItCame(packed(`${JSON.stringify(wide)}\n`));
    const deep = '['.repeat(200_000);
    expectOneAsItCame(packed(`${deep}\n`));
  });

  test('never throws and never loses a byte, however it was changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: 3 }),
        (changes, offset) => {
          const bytes = Buffer.concat([Buffer.alloc(offset), good.body]).subarray(offset);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const events = open(packed(bytes));
          const contents = measure(delivery(packed(bytes)));
          expect(contents.events).toBe(events.length);
          const bodies = Buffer.concat(events.map((event) => event.body));
          const rest = contents.broken === true ? bytes : bytes.subarray(bytes.indexOf(0x0a) + 1);
          expect(Buffer.compare(bodies, rest)).toBe(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
