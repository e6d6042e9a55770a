import { describeDrained, follower } from '../src/cli/drained.js';
import type { Drained } from '../src/starter/drain-dead-letters.js';

const at = (asOf: number, counts: Partial<Drained> = {}): Drained[] => [
  { queue: 'app', messages: 3, left: 2, asOf: new Date(asOf), ...counts },
];

test('what changes is told, and once that nothing does, by a queue whose counts come minutes late', () => {
  const said: string[] = [];
  const follow = follower((text) => said.push(text));
  const begun = Date.now();
  for (const later of [-120_000, -120_000, -60_000, 0, 30_000]) follow(at(begun + later));
  expect(said).toEqual([describeDrained(at(begun - 120_000))]);
  for (const later of [90_000, 150_000]) follow(at(begun + later));
  expect(said.slice(1)).toEqual([expect.stringMatching(/^nothing moves/)]);
  follow(at(begun + 210_000, { left: 1 }));
  expect(said.slice(2)).toEqual([
    expect.stringMatching(/^app: 3 dead letters in the lake, about 1 left at \d\d:\d\d UTC$/),
  ]);
});

test('what is left is told with the time at which it was, where the queue says so', () => {
  const [known] = at(Date.parse('2026-01-01T12:34:56Z'));
  expect(describeDrained([known!])).toBe('app: 3 dead letters in the lake, about 2 left at 12:34 UTC');
  const now = { queue: 'secondary', messages: 1 };
  expect(describeDrained([{ ...now, left: 1 }])).toBe('secondary: 1 dead letter loaded, about 1 left');
  expect(describeDrained([{ ...now, left: 0, asOf: new Date(0) }])).toBe('secondary: 1 dead letter loaded');
});
