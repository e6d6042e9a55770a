import { newId } from '../../src/ids.js';
import { pack } from '../../src/packing.js';
import type { Message } from '../../src/providers/queue.js';

/** One event as it must be found in the lake, and what becomes of it in the table that has a contract. */
export interface Expected {
  readonly what: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** `n`, or why it is rejected. */
  readonly becomes: number | RegExp;
}

/** What no pipeline has seen before, as messages and as the events that they must become. */
export function hostileMessages(): { messages: Message[]; events: Expected[] } {
  const events: Expected[] = [];
  const messages: Message[] = [];
  const add = (
    what: string,
    body: string | Uint8Array,
    becomes: number | RegExp,
    { id = newId(), attributes = {} }: { id?: string; attributes?: Record<string, string> } = {},
  ): void => {
    const bytes = Buffer.from(body as string);
    events.push({ what, id, attributes, body: bytes, becomes });
    messages.push({ body: bytes, attributes: { ...attributes, 'catchment-id': id } });
  };
  const noJson = /^the body is not JSON$/;
  const noObject = /^event: expected object$/;

  add('a body that is empty', '', noJson);
  const id = newId();
  add('none, and attributes', '', noJson, { id, attributes: { a: '1' } });
  add('none, the same id and other attributes', '', noJson, { id, attributes: { a: '2' } });
  add('1 MB', JSON.stringify({ n: 1, pad: 'x'.repeat(1_000_000) }), 1);
  add('9 MB', JSON.stringify({ n: 9, pad: 'é'.repeat(4_500_000) }), 9);
  add('9 MB of control characters', Buffer.alloc(9_000_000, 1), noJson);
  add('9 MB of NULs', Buffer.alloc(9_000_000), noJson);
  add('invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), noJson);
  add('a character cut short', Buffer.from('{"n":1,"s":"€').subarray(0, -1), noJson);
  add('a BOM', '\ufeff{"n":2}', 2);
  add('a BOM alone', '\ufeff', noJson);
  add('a NUL', '{"n":3,"s":"a\0b"}', noJson);
  add('a NUL escaped', '{"n":3,"s":"a\\u0000b"}', 3);
  add('lone surrogates', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0xed, 0xbf, 0xbf, 0x22]), noJson);
  add('lone surrogates escaped', '{"n":4,"s":"\\ud800 \\udfff"}', 4);
  add('U+FFFE and U+FFFF', '{"n":5,"s":"\ufffe\uffff"}', 5);
  add('line ends', '{"n":6,\r\n"s":"\u2028\u2029\u0085"}\n\n', 6);
  add('a bare number', '7', noObject);
  add('an array', '[{"n":1}]', noObject);
  add('null', 'null', noObject);
  add('5,000 levels of arrays', `{"n":8,"s":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 8);
  add('5,000 levels of objects', `${'{"n":'.repeat(5_000)}8${'}'.repeat(5_000)}`, /^event\.n: expected number$/);
  add('__proto__ and constructor', '{"__proto__":{"n":1},"constructor":{"prototype":{"n":2}},"n":10}', 10);
  add('__proto__ in place of it', '{"__proto__":{"n":1}}', /^event\.n: expected number$/);
  add('a key twice', '{"n":1,"n":11}', 11);
  add('an integer beyond 2^53', '{"n":12,"s":9007199254740993}', 12);
  add('an integer beyond 2^53 for a number', '{"n":9007199254740993}', /^event\.n: expected number$/);
  add('a number beyond all', '{"n":1e400}', /^event\.n: /);
  add('JSON cut short', '{"n":1', noJson);
  add('what looks like an envelope', '{"id":"x","body":"{}","bodyEncoding":"base64","n":13}', 13);

  const twice = newId();
  add('an event', '{"n":14}', 14, { id: twice });
  add('the same again', '{"n":14}', 14, { id: twice });
  add('the same id and other bytes', '{"n": 15}', 15, { id: twice });

  add('200 attributes', '{"n":16}', 16, {
    attributes: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`name-${n}`, 'v'.repeat(n)])),
  });
  const names = '{"__proto__":"a","constructor":"b","toString":"c","":"d","0":"e","a b\\n\\"":"\\u2028"}';
  add('attributes of any name', '{"n":17}', 17, { attributes: JSON.parse(names) as Record<string, string> });
  add('an id of any kind', '{"n":18}', 18, { id: `'"; DROP TABLE x; -- \u{1f4a9}${'i'.repeat(3_000)}` });

  // Said to be packed, and is not: one event, stored as it came.
  const packed = { 'catchment-packed': '1' };
  for (const [what, body, becomes] of [
    ['a packed message that is none', 'no header', noJson],
    [
      'a packed message cut short',
      pack([{ id: 'a', attributes: {}, body: Buffer.from('{"n":1}') }]).body.subarray(0, -1),
      noJson,
    ],
    [
      'a packed message that would expand without end',
      `{"events":[${'["",0],'.repeat(400_000)}["",0]]}\n`,
      /^event\.n: expected number$/,
    ],
  ] as const) {
    const brokenId = newId();
    const attributes = { ...packed, 'catchment-id': brokenId };
    events.push({ what, id: brokenId, attributes, body: Buffer.from(body as string), becomes });
    messages.push({ body: Buffer.from(body as string), attributes });
  }
  const inside = events.slice(0, 5).map((event, n) => ({ ...event, id: newId(), what: `packed: ${event.what}`, n }));
  messages.push(pack(inside.slice(0, 4), {}));
  events.push(...inside.slice(0, 4));
  return { messages, events };
}
