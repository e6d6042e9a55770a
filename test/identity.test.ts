import fc from 'fast-check';

import { cleanAttributes, cleanName, eventKey, sentAtIsOfId, sentAtOf, withoutReserved } from '../src/events.js';
import { newId, timeOfId } from '../src/ids.js';
import { anyBody, anyText, attributesOf } from './arbitraries.js';

const body = Buffer.from('{"a":1}');
const key = (id: string, bytes: Uint8Array = body, attributes = {}, source = 'app'): string =>
  eventKey(source, id, bytes, attributes);

describe('the identity of an event', () => {
  test('is 32 hex digits, the same for ever', () => {
    expect(key('a')).toBe(key('a', Uint8Array.from(body)));
    expect(key('a')).toMatch(/^[0-9a-f]{32}$/);
    // Written to warehouses: were it to change, every event would be there twice after a replay.
    expect(key('a')).toBe('f9939ca068d9ef495b49ac34c5712fee');
    expect(key('a', new Uint8Array(0), { b: '1', a: '2' })).toBe('66e010f0c518b7340c214847558e461f');
  });

  test('differs by source, by id and by body, and by nothing else', () => {
    expect(key('a')).not.toBe(key('b'));
    expect(key('a')).not.toBe(key('a', body, {}, 'app-eu'));
    expect(key('a')).not.toBe(key('a', Buffer.from('{"a": 1}')));
    expect(key('a')).toBe(key('a', body, { type: 'x' }));
  });

  test('takes the attributes for the body where there is none, in any order', () => {
    const none = new Uint8Array(0);
    expect(key('a', none, { a: '1', b: '2' })).toBe(key('a', none, { b: '2', a: '1' }));
    expect(key('a', none, { a: '1' })).not.toBe(key('a', none, { a: '2' }));
    expect(key('a', none, { a: '1' })).not.toBe(key('a', none, {}));
    expect(key('a', none, { 'a","b': '' })).not.toBe(key('a', none, { a: 'b' }));
  });

  test('never takes a body for attributes that look like it', () => {
    const none = new Uint8Array(0);
    for (const attributes of [{}, { a: '1' }]) {
      const entries = Object.entries(attributes);
      for (const text of [entries, { attributes: entries }, attributes]) {
        expect(key('a', none, attributes)).not.toBe(key('a', Buffer.from(JSON.stringify(text))));
      }
    }
  });

  test('is equal only where source, id and content are', () => {
    const one = fc.record({
      source: fc.constantFrom('app', 'app-eu', 'a'),
      id: anyText,
      body: anyBody,
      attributes: attributesOf(anyText),
    });
    const content = (event: { body: Uint8Array; attributes: Record<string, string> }): string =>
      event.body.length > 0
        ? Buffer.from(event.body).toString('hex')
        : JSON.stringify(Object.entries(event.attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(one, one, fc.boolean(), fc.boolean(), (a, other, sameId, sameBody) => {
        const b = { ...other, id: sameId ? a.id : other.id, body: sameBody ? a.body : other.body };
        const equal =
          a.source === b.source &&
          a.id === b.id &&
          a.body.length > 0 === b.body.length > 0 &&
          content(a) === content(b);
        expect(eventKey(a.source, a.id, a.body, a.attributes) === eventKey(b.source, b.id, b.body, b.attributes)).toBe(
          equal,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('tells ids apart that differ in a lone surrogate or a NUL', () => {
    expect(new Set(['\ud800', '\ud801', '\ufffd', '\0', 'a\0b', 'a\0\0b'].map((id) => key(id))).size).toBe(6);
  });
});

describe('names that no warehouse takes', () => {
  test('are written with escapes, and others left alone', () => {
    expect(cleanName('a\0b\ud800c😀\udc00')).toBe('a\\u0000b\\ud800c😀\\udc00');
    expect(cleanAttributes({ '\0': '\ud800', a: 'b' })).toEqual({ '\\u0000': '\\ud800', a: 'b' });
    const clean = { a: 'b😀\n', __proto__: 'x' };
    expect(cleanAttributes(clean)).toBe(clean);
    fc.assert(
      fc.property(anyText, (text) => {
        const name = cleanName(text);
        expect(name.isWellFormed() && !name.includes('\0')).toBe(true);
        expect(cleanName(name)).toBe(name);
        if (text.isWellFormed() && !text.includes('\0')) expect(name).toBe(text);
      }),
    );
  });

  test('keep names such as __proto__', () => {
    const attributes = JSON.parse('{"__proto__":"a\\u0000","constructor":"b"}') as Record<string, string>;
    expect(Object.entries(cleanAttributes(attributes))).toEqual([
      ['__proto__', 'a\\u0000'],
      ['constructor', 'b'],
    ]);
    const ours = JSON.parse('{"__proto__":"a","catchment-id":"b"}') as Record<string, string>;
    expect(Object.entries(withoutReserved(ours))).toEqual([['__proto__', 'a']]);
  });
});

test('attributes of ours are taken out of a copy', () => {
  const attributes = { 'catchment-id': 'a', Catchment: 'b', 'x-catchment-id': 'c' };
  expect(withoutReserved(attributes)).toEqual({ Catchment: 'b', 'x-catchment-id': 'c' });
  expect(attributes['catchment-id']).toBe('a');
  const clean = { a: 'b' };
  expect(withoutReserved(clean)).toBe(clean);
});

test('the time of sending is equal on every delivery, and says where it is from', () => {
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: 10_000 }), fc.boolean(), (off, random) => {
      const id = random ? 'not a UUID' : newId();
      const queue = Date.now() + off;
      const sentAt = sentAtOf(id, queue, 5_000);
      expect(sentAt).toBe(sentAtOf(id, queue, 5_000));
      const time = timeOfId(id);
      const ofId = time !== undefined && Math.abs(time - queue) <= 5_000;
      expect(sentAt).toBe(ofId ? time : queue);
      if (ofId) expect(sentAtIsOfId(id, sentAt)).toBe(true);
      if (time === undefined) expect(sentAtIsOfId(id, sentAt)).toBe(false);
    }),
  );
});
