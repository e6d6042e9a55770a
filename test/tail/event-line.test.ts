import type { Envelope } from '../../src/envelope.js';
import { eventLine, jsonLine } from '../../src/tail/event-line.js';

const envelope: Envelope = {
  id: 'a',
  sentAt: '2026-11-24T12:00:00.000Z',
  source: 'app',
  batch: '01a2',
  attributes: {},
  body: '{"n":1}',
};

test('a person reads when, where from, which, and how the body begins', () => {
  expect(eventLine(envelope)).toBe('2026-11-24T12:00:00.000Z  app  a  {"n":1}');
  const long = eventLine({ ...envelope, body: 'x'.repeat(1_000_000) });
  expect(long).toHaveLength('2026-11-24T12:00:00.000Z  app  a  '.length + 200);
  expect(long).toMatch(/x…$/);
  expect(eventLine({ ...envelope, body: '/wD/', bodyEncoding: 'base64' })).toMatch(/ \ufffd \ufffd$/);
});

test('neither a body nor an id drives the terminal, ends the line or turns it around', () => {
  const evil = 'a\u001b[2J\u009b31m\r\n\u0000\u2028\u202eb';
  const line = eventLine({ ...envelope, id: evil, body: evil });
  expect(line).toBe('2026-11-24T12:00:00.000Z  app  a [2J 31m b  a [2J 31m b');
});

test('a cut leaves no half character', () => {
  const line = eventLine({ ...envelope, body: `${'x'.repeat(198)}😀😀` });
  expect(line.isWellFormed()).toBe(true);
  expect(line).toMatch(/x…$/);
});

test('a program reads one line, whatever is in it', () => {
  const odd = { ...envelope, id: '\u2028', body: 'a\nb\u2029' };
  const line = jsonLine(odd);
  expect(line).not.toMatch(/[\n\u2028\u2029]/);
  expect(JSON.parse(line)).toEqual(odd);
});
