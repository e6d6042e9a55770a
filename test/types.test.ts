import { compile } from './snippets.js';

/** What a user may write, and what the compiler must say no to, each as a file of its own. */
const prelude = `
import { z } from 'zod';
import { defineConfig, defineTable, duckdb, folderLake, localQueue } from 'catchment';
const event = z.object({ user: z.string(), items: z.array(z.object({ id: z.string() })), price: z.number().optional() });
const row = z.object({ user_id: z.string(), kind: z.enum(['web', 'app']), price: z.number().optional() });
`;

const compiles = {
  'one row': "defineTable('t', { event, row, rows: (event) => ({ user_id: event.user, kind: 'web' }) });",
  'a method':
    "defineTable('t', { event, row, rows(event, context) { return { user_id: event.user + context.event.id, kind: 'app' }; } });",
  'several rows':
    "defineTable('t', { event, row, rows: (event) => event.items.map(({ id }) => ({ user_id: id, kind: 'web' })) });",
  'none or one':
    "defineTable('t', { event, row, rows: (event) => event.price === undefined ? undefined : { user_id: event.user, kind: 'web', price: event.price } });",
  'none, one or several':
    "defineTable('t', { event, row, rows: (event) => { if (event.user === '') return null; if (event.user === 'x') return []; if (event.user === 'y') return; return { user_id: event.user, kind: 'web' }; } });",
  'a promise of one':
    "defineTable('t', { event, row, rows: async (event) => { await Promise.resolve(); return { user_id: event.user, kind: 'web' }; } });",
  'a promise of several':
    "defineTable('t', { event, row, rows: async (event) => { await Promise.resolve(); return event.items.map(({ id }) => ({ user_id: id, kind: 'app' })); } });",
  'a row of a variable':
    "defineTable('t', { event, row, rows: (event) => { const made: z.input<typeof row> = { user_id: event.user, kind: 'web' }; return made; } });",
  'json, any way down, without a cast':
    "defineTable('t', { match: (event) => event.json?.type === 'view' && event.json.user?.age === 5 && event.json.items?.[0]?.id !== undefined && event.attributes.kind === 'a', row, rows: () => undefined });",
  'json for strings':
    "defineTable('t', { match: ({ json }) => typeof json?.type === 'string' && json.type.startsWith('view'), row, rows: () => undefined });",
  'no contract: the json':
    "defineTable('t', { row, rows: (json) => typeof json?.user === 'string' ? { user_id: json.user, kind: 'web' } : undefined });",
  'what the row transforms and fills in':
    "defineTable('t', { event, row: z.object({ at: z.coerce.date(), source: z.string().default('app') }), rows: (event) => ({ at: event.user }) });",
  'version, cluster, since':
    "defineTable('t', { version: 2, event, row, rows: () => [], cluster: ['user_id', 'kind'], since: '2026-01-01' });",
  'the least config': "export default defineConfig({ pipeline: 'app', tables: './tables.ts' });",
  'every part':
    "export default defineConfig({ pipeline: 'app', sources: { app: localQueue() }, lake: folderLake(), secondary: localQueue(), warehouse: duckdb(), staging: folderLake(), tables: [defineTable('t', { row, rows: () => [] })], freshness: '5s', lease: '30s', patience: '10m', dedupe: '3d', survive: '3d', reconcileEvery: '1h' });",
};

const refused = {
  'a missing column': [
    "defineTable('t', { event, row, rows: (event) => ({ user_id: event.user }) });",
    "'kind' is missing",
  ],
  'a wrong column': [
    "defineTable('t', { event, row, rows: (event) => ({ user_id: event.user, kind: 'web', other: 1 }) });",
    '\'no such column\': "other"',
  ],
  'a wrong column among several rows': [
    "defineTable('t', { event, row, rows: (event) => event.items.map(({ id }) => ({ user_id: id, kind: 'web' as const, other: 1 })) });",
    '\'no such column\': "other"',
  ],
  'a wrong column in a promise': [
    "defineTable('t', { event, row, rows: async (event) => { await Promise.resolve(); return { user_id: event.user, kind: 'web', other: 1 }; } });",
    '\'no such column\': "other"',
  ],
  'a wrong column beside none': [
    "defineTable('t', { event, row, rows: (event) => event.user === '' ? undefined : { user_id: event.user, kind: 'web', other: 1 } });",
    '\'no such column\': "other"',
  ],
  'a value of another type': [
    "defineTable('t', { event, row, rows: () => ({ user_id: 5, kind: 'web' }) });",
    "Type 'number' is not assignable to type 'string'",
  ],
  'a value outside the enum': [
    "defineTable('t', { event, row, rows: (event) => ({ user_id: event.user, kind: 'tv' }) });",
    '"tv"',
  ],
  'an optional value for a column that is not': [
    "defineTable('t', { event, row: z.object({ price: z.number() }), rows: (event) => ({ price: event.price }) });",
    "'number | undefined' is not assignable to type 'number'",
  ],
  'what the event does not have': [
    "defineTable('t', { event, row, rows: (event) => ({ user_id: event.userId, kind: 'web' }) });",
    "'userId' does not exist",
  ],
  'no row at all': ["defineTable('t', { event, row, rows: () => 'row' });", "Type 'string' is not assignable"],
  'a cluster that is no column': [
    "defineTable('t', { event, row, rows: () => [], cluster: ['user'] });",
    '"user"\' is not assignable',
  ],
  'no rows': ["defineTable('t', { event, row });", "'rows' is missing"],
  'a setting that is none': [
    "defineTable('t', { event, row, rows: () => [], clusters: [] });",
    "'clusters' does not exist",
  ],
  'a row that is no object': ["defineTable('t', { event, row: z.string(), rows: () => [] });", 'ZodString'],
  'a match on the raw json as text': [
    "defineTable('t', { match: (event) => event.json.type === 1, row, rows: () => [] });",
    'possibly',
  ],
  'no tables': ["defineConfig({ pipeline: 'app' });", "'tables' is missing"],
  'a freshness in words': [
    "defineConfig({ pipeline: 'app', tables: [], freshness: '60 seconds' });",
    '\'"60 seconds"\' is not assignable',
  ],
  'a number for a duration': [
    "defineConfig({ pipeline: 'app', tables: [], lease: 30 });",
    "'number' is not assignable",
  ],
  'a lake for a queue': ["defineConfig({ pipeline: 'app', tables: [], secondary: folderLake() });", 'Lake'],
  'a part that is none': [
    "defineConfig({ pipeline: 'app', tables: [], lakes: folderLake() });",
    "'lakes' does not exist",
  ],
};

const snippets = [
  ...Object.entries(compiles),
  ...Object.entries(refused).map(([name, [text]]) => [name, text] as const),
];
const complaints = compile(Object.fromEntries(snippets.map(([name, text]) => [name, prelude + text!])));

test.each(Object.keys(compiles))('compiles: %s', (name) => {
  expect(complaints(name)).toEqual([]);
});

test.each(Object.entries(refused))('does not compile: %s', (name, [, expected]) => {
  expect(complaints(name).join('\n')).toContain(expected);
});
