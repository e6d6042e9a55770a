import { defineTable } from 'catchment';
import { z } from 'zod';

// What rows follow from an event is said a second time, for the judge, in ../events.ts.
const event = z.object({ id: z.string(), number: z.number().int() });
const number = z.number().int();

export const singles = defineTable('singles', {
  event,
  row: z.object({ number }),
  rows: (each) => ({ number: each.number }),
});

export const pairs = defineTable('pairs', {
  event,
  row: z.object({ number, part: z.number().int() }),
  rows: (each) => (each.number % 2 === 0 ? [0, 1].map((part) => ({ number: each.number, part })) : []),
});

export const checked = defineTable('checked', {
  event: event.refine((each) => each.number % 10 !== 0, { path: ['number'], error: 'is not taken' }),
  row: z.object({ number }),
  rows: (each) => ({ number: each.number }),
});
