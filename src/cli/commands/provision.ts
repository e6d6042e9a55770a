import type { Command } from 'commander';

import type { Parts } from '../../open.js';
import type { Provisioned } from '../../providers/provision.js';
import type { Queue } from '../../providers/queue.js';
import { answer, note, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';

interface Change extends Provisioned {
  readonly part: string;
}

/** Queues and lakes are made in one way. */
type CanProvision = Pick<Queue, 'provision'>;

export function registerProvision(program: Command): void {
  program
    .command('provision')
    .description('make the queues and buckets that the config names, or change what would not keep its promise')
    .option('--dry-run', 'only say what would be done')
    .action((options: CommonOptions & { dryRun?: true }) =>
      withParts(options, async (settings, parts) => {
        const how = options.dryRun === true ? 'plan' : 'apply';
        const changes: Change[] = [];
        for (const [part, can] of provisionable(parts)) {
          try {
            changes.push(...((await can.provision?.(how, settings)) ?? []).map((change) => ({ part, ...change })));
          } catch (error) {
            for (const change of changes) note(describe(change, how));
            throw error;
          }
        }
        answer(options, { applied: how === 'apply', changes }, () =>
          changes.length === 0 ? 'nothing to do' : changes.map((change) => describe(change, how)).join('\n'),
        );
      }),
    );
}

function provisionable({ sources, secondary, lake, staging }: Parts): [string, CanProvision][] {
  return [
    ...Object.entries(sources).map(([name, queue]): [string, CanProvision] => [`source ${name}`, queue]),
    ['secondary', secondary],
    ['lake', lake],
    ...(staging === lake ? [] : ([['staging', staging]] as [string, CanProvision][])),
  ];
}

function describe({ part, what }: Change, how: 'plan' | 'apply'): string {
  return how === 'plan' ? `would do: ${part}: ${what}` : `done: ${part}: ${what}`;
}
