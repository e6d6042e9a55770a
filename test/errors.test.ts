import { runInNewContext } from 'node:vm';

import fc from 'fast-check';

import { CatchmentError, describeError, LakeNotFound, Unavailable, withoutQuotes } from '../src/errors.js';

test('our errors have their class’s name, a place, and no cause', () => {
  const error = new LakeNotFound('the lake has no object raw/a', { key: 'raw/a' });
  expect(error).toBeInstanceOf(CatchmentError);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(Unavailable);
  expect(error.name).toBe('LakeNotFound');
  expect(`${error}`).toBe('LakeNotFound: the lake has no object raw/a');
  expect(error.stack).toMatch(/^LakeNotFound: /);
  expect(error.where).toEqual({ key: 'raw/a' });
  expect(error.cause).toBeUndefined();
  expect(new CatchmentError('x').where).toEqual({});
});

describe('what may go into a log', () => {
  test.each([
    ['of ours', new Unavailable('the lake "x" is away'), 'the lake "x" is away'],
    [
      'of the system',
      Object.assign(new Error("ENOENT: no such file, open '/a'"), { code: 'ENOENT' }),
      'ENOENT: no such file, open …',
    ],
    [
      'with a code of its own',
      Object.assign(new Error('bad input: "secret"'), { code: '22P02' }),
      '22P02: bad input: …',
    ],
    ['with a number for a code', Object.assign(new Error('gone'), { code: 14 }), '14: gone'],
    ['without a message', Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['with a value for a code', Object.assign(new Error('bad'), { code: { secret: 1 } }), 'bad'],
    ['of another realm', runInNewContext('new TypeError("no")'), 'no'],
    ['that is a string', 'secret', 'something was thrown that is no Error'],
    ['that is null', null, 'something was thrown that is no Error'],
    ['that is undefined', undefined, 'something was thrown that is no Error'],
    ['whose message is none', { message: { secret: 1 } }, 'something was thrown that is no Error'],
  ])('of an error %s', (_what, error: unknown, text) => {
    expect(describeError(error)).toBe(text);
  });

  test.each([
    ['could not convert string "abc" to INT32', 'could not convert string …'],
    ["value 'it's' is too long", 'value …'],
    ['cut off: "abc', 'cut off: …'],
    ['“abc” is no number', '… is no number'.slice(0, 1)],
    ['first line\nLINE 1: secret', 'first line'],
    ['\n  first line\r\nsecret', 'first line'],
    ['bad:\n"secret\nsecret"', 'bad:'],
    ['', ''],
  ])('%j shows no value', (message, shown) => {
    expect(withoutQuotes(message)).toBe(shown);
  });

  test('is one short line without anything quoted, whatever the quoted holds', () => {
    const quotes = fc.constantFrom('"', "'", '`', '“');
    fc.assert(
      fc.property(
        quotes,
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', maxLength: 400 }),
        (quote, value, tail) => {
          const shown = withoutQuotes(`bad value: ${quote}${value}SECRET${tail}`);
          expect(shown).toBe('bad value: …');
          const any = withoutQuotes(tail);
          expect(any.length).toBeLessThanOrEqual(300);
          expect(any).not.toMatch(/[\r\n"'`]|\p{Surrogate}/u);
        },
      ),
    );
  });
});
