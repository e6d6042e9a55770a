import type { Command } from 'commander';

import { ConfigError, describeError } from '../../errors.js';
import type { Finding } from '../../providers/queue.js';
import { answer, exitStatus, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';

interface PartFinding extends Finding {
  readonly part: string;
}

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('ask every part whether it can do its work')
    .action((options: CommonOptions) =>
      withParts(options, async (settings, parts) => {
        const findings: PartFinding[] = [];
        const ask = async (part: string, question: () => Promise<readonly Finding[]>): Promise<void> => {
          try {
            findings.push(...(await question()).map((finding) => ({ part, ...finding })));
          } catch (error) {
            findings.push({ part, level: 'error', what: describeError(error) });
            if (error instanceof ConfigError) process.exitCode = exitStatus.wrong;
          }
        };
        for (const name of Object.keys(settings.sources))
          await ask(`source ${name}`, () => parts.sources[name]!.check(settings));
        await ask('secondary', () => parts.secondary.check(settings));
        await ask('lake', () => parts.lake.check());
        await ask('warehouse', () => parts.warehouse.check());
        await ask('staging', async () => (parts.staging === parts.lake ? [] : parts.staging.check()));
        await ask('temporal', () => checkTemporal(settings.dataDir));
        await ask('tables', async () => {
          const { loadTables } = await import('../../config/load.js');
          const tables = await loadTables(settings);
          return [{ level: 'ok', what: `${tables.length} tables are defined` }];
        });

        const ok = findings.every(({ level }) => level !== 'error');
        answer(options, { ok, findings }, () => findings.map(describe).join('\n'));
        if (!ok) process.exitCode ??= exitStatus.failed;
      }),
    );
}

async function checkTemporal(dataDir: string): Promise<Finding[]> {
  const { connectTemporal } = await import('../../temporal.js');
  const { connection, namespace } = await connectTemporal(dataDir);
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return [{ level: 'ok', what: `Temporal answers, with the namespace ${namespace}` }];
  } finally {
    await connection.close();
  }
}

function describe({ part, level, what, remedy }: PartFinding): string {
  return `${level.padEnd(7)} ${part}: ${what}${remedy === undefined ? '' : `\n        ${remedy}`}`;
}
