import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';

// Runs of every workflow, saved by scripts/save-histories.mjs: those of a version that is at work must replay on the next.
const folder = join(import.meta.dirname, 'histories');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

let bundle: WorkflowBundle;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } } });
  const workflowsPath = join(import.meta.dirname, '..', 'src', 'workflows', 'index.ts');
  bundle = await bundleWorkflowCode({ workflowsPath, logger });
}, 120_000);

/** What each history's replay came to, by name: undefined where it went well. */
async function replay(code: string): Promise<Record<string, Error | undefined>> {
  const histories = names.map((name) => ({
    workflowId: name,
    history: JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown,
  }));
  const outcomes: Record<string, Error | undefined> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { code } }, histories))
    outcomes[workflowId] = error;
  return outcomes;
}

test('each kind of end has a history', () => {
  const kinds = [
    'backfill-anew',
    'backfill-cancelled',
    // Of the first workers of 0.1.0, which knew one mode and loaded one page at a time.
    'backfill-page-by-page',
    'backfill-pages',
    'ingest-returned',
    'ingest-stored',
    'load-handed-over',
    'load-loaded',
    'load-refused',
  ];
  expect(names.toSorted()).toEqual([...kinds, 'reconcile-gaps', 'reconcile-ok'].map((kind) => `${kind}.json`));
});

test('the workflows replay what earlier ones did', async () => {
  expect(await replay(bundle.code)).toEqual(Object.fromEntries(names.map((name) => [name, undefined])));
}, 120_000);

const backfills = ['backfill-anew', 'backfill-cancelled', 'backfill-page-by-page', 'backfill-pages'];

test.each([
  ['relay', ['ingest-returned', 'ingest-stored']],
  ['load', [...backfills, 'load-handed-over', 'load-loaded', 'load-refused']],
  ['rejectRefused', ['load-refused']],
  ['nextPage', backfills],
  ['compare', ['reconcile-gaps', 'reconcile-ok']],
])(
  'another activity in place of %s is noticed',
  async (activity, kinds) => {
    const code = bundle.code.replaceAll(`.${activity}.executeWithOptions`, '.somethingElse.executeWithOptions');
    const outcomes = await replay(code);
    const noticed = names.filter((name) => outcomes[name]?.message.includes('somethingElse'));
    expect(noticed.toSorted()).toEqual(kinds.map((kind) => `${kind}.json`));
  },
  120_000,
);
