import { judgeIdentity, type InTable } from '../src/reconcile/deep-judge.js';

/** Two rows made of one object's copy, and both there. */
const good: InTable = {
  ...{ made: 1, rowsMade: 2, rows: 2, rejections: 0, otherVersion: false, excused: false, from: 0, to: 0 },
};

test.each<[string, number, Partial<InTable>, string]>([
  ['as many rows as are made', 1, {}, 'holds'],
  ['fewer', 1, { rows: 1 }, 'uneven'],
  ['more', 1, { rows: 3 }, 'uneven'],
  ['none', 1, { rows: 0 }, 'missing'],
  ['a rejection of the warehouse’s own instead', 1, { rows: 0, rejections: 1 }, 'holds'],
  ['rows that a rejection beside them explains', 1, { rows: 1, rejections: 1 }, 'holds'],
  ['rows of another version', 1, { rows: 1, otherVersion: true }, 'holds'],
  ['rows, though it is rejected now', 1, { rowsMade: 0, rows: 1 }, 'holds'],
  ['nothing, though it is to be rejected', 1, { rowsMade: 0, rows: 0 }, 'missing'],
  ['rows that its copies differ about', 1, { rowsMade: -1, rows: 1 }, 'holds'],
  ['nothing, with a copy of which nothing is known', 2, { rows: 0 }, 'not judged'],
  ['rows, in no object', 0, { made: 0 }, 'extra'],
  ['a rejection, in no object', 0, { made: 0, rows: 0, rejections: 1 }, 'extra'],
  ['rows, in no object that could be read', 0, { made: 0, excused: true }, 'not judged'],
])('an identity with %s', (_, stored, differs, verdict) => {
  expect(judgeIdentity(stored, { ...good, ...differs })).toBe(verdict);
});
