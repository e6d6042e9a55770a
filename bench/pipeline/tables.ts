import { defineTable } from 'catchment';
import { z } from 'zod';

/** A row for every event. */
export const views = defineTable('views', {
  match: (event) => event.attributes.type === 'view',
  event: z.object({
    user: z.string(),
    session: z.string(),
    screen: z.string(),
    ts: z.iso.datetime(),
    durationMs: z.int(),
    price: z.number().optional(),
  }),
  row: z.object({
    user_id: z.string(),
    session_id: z.string(),
    screen: z.string(),
    viewed_at: z.iso.datetime(),
    duration_ms: z.int(),
    price: z.number().optional(),
  }),
  rows: ({ user, session, screen, ts, durationMs, price }) => ({
    user_id: user,
    session_id: session,
    screen,
    viewed_at: ts,
    duration_ms: durationMs,
    price,
  }),
  cluster: ['user_id'],
});

/** Two rows for every second event. */
export const items = defineTable('items', {
  match: (event) => Array.isArray(event.json?.items),
  event: z.object({ user: z.string(), items: z.array(z.object({ sku: z.string(), quantity: z.int() })) }),
  row: z.object({ user_id: z.string(), position: z.int(), sku: z.string(), quantity: z.int() }),
  rows: ({ user, items: list }) =>
    list.map(({ sku, quantity }, position) => ({ user_id: user, position, sku, quantity })),
  cluster: ['sku'],
});
