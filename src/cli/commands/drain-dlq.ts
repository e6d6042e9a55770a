import type { Command } from 'commander';

import { counted } from '../../amounts.js';
import type { Settings } from '../../config/settings.js';
import { ConfigError } from '../../errors.js';
import type { Drained } from '../../starter/drain-dead-letters.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

const standstillMs = 60_000;

export function registerDrainDlq(program: Command): void {
  program
    .command('drain-dlq')
    .description('bring dead letters into the lake, under the ids and send times that they have')
    .action(async (options: CommonOptions) => {
      const signal = stopSignal(false);
      const settings = await loadSettings(options);
      await mustHaveDeadLetters(settings);
      const { drainDeadLetters } = await import('../../starter/drain-dead-letters.js');
      const drained = await drainDeadLetters({ settings, signal }, follower());
      const left = drained.some((queue) => queue.left > 0);
      answer(options, { drained }, () => describe(drained));
      if (left || signal.aborted) doesNotHold();
    });
}

/** Says what changed; and, once, where nothing does for long. */
function follower(): (drained: readonly Drained[]) => void {
  let told = '';
  let since = Date.now();
  return (drained) => {
    const text = describe(drained);
    // What a queue tells late may have moved since.
    const stands = drained.some(({ left, asOf }) => left > 0 && (asOf?.getTime() ?? Date.now()) - since > standstillMs);
    if (text !== told) {
      note((told = text));
      since = Date.now();
    } else if (stands) {
      note('nothing moves: is a worker running? catchment stuck says what does not go on');
      since = Infinity;
    }
  };
}

async function mustHaveDeadLetters(settings: Settings): Promise<void> {
  const { openParts } = await import('../../open.js');
  const parts = openParts(settings);
  try {
    const queues = [...Object.values(parts.sources), parts.secondary];
    if (queues.some(({ deadLetters }) => deadLetters !== undefined)) return;
    throw new ConfigError(
      `${settings.file}: no queue has dead letters; name them where the queue is: sqs({ queueUrl: '…', deadLetterUrl: '…' })`,
    );
  } finally {
    await parts.close();
  }
}

function describe(drained: readonly Drained[]): string {
  return drained
    .map(({ queue, messages, left, asOf }) => {
      const at = asOf === undefined ? '' : ` at ${asOf.toISOString().slice(11, 16)} UTC`;
      const rest = left === 0 ? '' : `, about ${left} left${at}`;
      return `${queue}: ${counted(messages, 'dead letter')} ${queue === 'secondary' ? 'loaded' : 'in the lake'}${rest}`;
    })
    .join('\n');
}
