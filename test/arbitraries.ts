import fc from 'fast-check';

/** Any string that JavaScript can hold: NULs, line ends, signs, emoji, and lone surrogates. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(0x00, 0x0a, 0x0d, 0x22, 0x5c, 0x61, 0x85, 0x2028, 0xd800, 0xdc00, 0xd83d, 0xde00, 0xfeff, 0xfffe),
    )
    .map((codes) => String.fromCharCode(...codes)),
);

const nasty = [
  '\ufeff',
  '\0',
  '\ufffd',
  '\ufffe',
  '\uffff',
  '\u2028',
  '\u0085',
  '\r\n',
  '\\u0000',
  '"',
  '{"a":1}',
  '😀',
  ' ',
];
const broken = [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80], [0xef, 0xbb]];

/** Bodies as producers send them, and as nobody should. */
export const anyBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...nasty).map((text) => Buffer.from(text)),
        fc.constantFrom(...broken).map((bytes) => Buffer.from(bytes)),
        fc.string({ unit: 'binary', maxLength: 4 }).map((text) => Buffer.from(text)),
      ),
      { maxLength: 6 },
    )
    .map((parts) => Buffer.concat(parts)),
);

const names = fc.oneof(fc.constantFrom('type', 'a', '__proto__', 'constructor', 'length', '0', ''), anyText);

export function attributesOf(text: fc.Arbitrary<string>): fc.Arbitrary<Record<string, string>> {
  return fc.array(fc.tuple(names, text), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}
