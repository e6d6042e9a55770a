import { Commands } from '../../src/stuck/commands.js';
import { describeStuck } from '../../src/stuck/describe-stuck.js';
import type { Stuck } from '../../src/stuck/report.js';
import { newId } from '../../src/ids.js';

const now = Date.parse('2026-11-24T12:00:00Z');
const commands = new Commands({ address: 'localhost:7233', namespace: 'default' });
const ago = (ms: number): string => new Date(now - ms).toISOString();

function ingest(minutes: number, more: Partial<Stuck> = {}): Stuck {
  const batch = newId();
  return {
    workflowId: `ingest/app/web/${batch}`,
    runId: newId(),
    state: 'failing',
    activity: { id: '1', type: 'persist', summary: 'persist 4,213 events' },
    attempt: 12,
    since: ago(minutes * 60_000),
    nextAttemptAt: ago(-8_000),
    error: {
      type: 'Unavailable',
      message: `writing raw/web/dt=2026-11-24/hr=12/${batch}_4213_${'a'.repeat(32)}: the disk is full`,
    },
    command: 'the command',
    ...more,
  };
}

const said = (stuck: readonly Stuck[], running = stuck.length): string =>
  describeStuck({ pipeline: 'app', workflows: { running, lookedAt: stuck.length }, stuck }, commands, now);

test('five hundred batches that fail alike are one paragraph, with a command for all', () => {
  const stuck = Array.from({ length: 500 }, (_, index) => ingest(600 - index));
  const lines = said(stuck).split('\n');
  expect(lines).toEqual([
    'persist has been failing for 10 h; attempt 12 in 8 s',
    `  Unavailable: ${stuck[0]!.error!.message}`,
    `  ${stuck[0]!.workflowId} (persist 4,213 events)`,
    '  the command',
    '  and 499 more like it, in 500 workflows together',
    `  temporal activity reset --query 'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "ingest/app/"'`,
    '',
    'what does not go on: 500 activities of 500 workflows',
  ]);
});

test('what differs in activity, table, error or state is told apart', () => {
  const backfill = { workflowId: 'backfill/app/visits', table: 'visits' };
  const text = said([
    ingest(9),
    ingest(8, { error: { type: 'Unavailable', message: 'no such bucket' } }),
    ingest(7, { ...backfill, activity: { id: '4', type: 'load' }, nextAttemptAt: ago(1) }),
    ingest(6, { ...backfill, activity: { id: '4', type: 'load' }, table: 'orders' }),
    ingest(5, { state: 'paused', since: ago(1_000), error: undefined }),
    ingest(4, { state: 'no worker', error: undefined }),
    ingest(3, { activity: undefined, nextAttemptAt: undefined, since: undefined }),
  ]);
  const firstLines = text.split('\n').filter((line) => /^\w/.test(line));
  expect(firstLines).toEqual([
    'persist has been failing for 9 min; attempt 12 in 8 s',
    'persist has been failing for 8 min; attempt 12 in 8 s',
    'load of visits has been failing for 7 min; attempt 12 is due',
    'load of orders has been failing for 6 min; attempt 12 in 8 s',
    'persist has been paused for 1 s; attempt 12 is next',
    'persist has waited for 4 min, and no worker has taken it',
    'the workflow itself has been failing; attempt 12 runs',
    'what does not go on: 6 activities of 5 workflows, 1 workflow as a whole',
  ]);
});

test('an error cannot drive the terminal', () => {
  expect(said([ingest(1, { error: { message: 'no\u001b[2Jsuch\r\nfile' } })])).toContain('\n  no [2Jsuch file\n');
});

test('it is said how many were not looked at', () => {
  expect(said([])).toBe('nothing is stuck: 0 workflows looked at');
  const more = 'only the 1 that run longest of 1,200 were looked at: --limit takes more';
  expect(said([ingest(1)], 1_200)).toMatch(new RegExp(`1 activity of 1 workflow; ${more}$`));
});
