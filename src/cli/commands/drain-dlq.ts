import type { Command } from 'commander';

import type { Settings } from '../../config/settings.js';
import { ConfigError } from '../../errors.js';
import { describeDrained, follower } from '../drained.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

export function registerDrainDlq(program: Command): void {
  program
    .command('drain-dlq')
    .description('bring dead letters into the lake, under the ids and send times that they have')
    .action(async (options: CommonOptions) => {
      const signal = stopSignal(false);
      const settings = await loadSettings(options);
      await mustHaveDeadLetters(settings);
      const { drainDeadLetters } = await import('../../starter/drain-dead-letters.js');
      const drained = await drainDeadLetters({ settings, signal }, follower(note));
      const left = drained.some((queue) => queue.left > 0);
      answer(options, { drained }, () => describeDrained(drained));
      if (left || signal.aborted) doesNotHold();
    });
}

async function mustHaveDeadLetters(settings: Settings): Promise<void> {
  const { openParts } = await import('../../open.js');
  const parts = openParts(settings);
  try {
    const queues = [...Object.values(parts.sources), parts.secondary];
    if (queues.some(({ deadLetters }) => deadLetters !== undefined)) return;
    throw new ConfigError(
      `${settings.file}: no queue has dead letters; name them where the queue is: sqs({ queueUrl: '…', deadLetterUrl: '…' }), or pubsub({ …, deadLetters: { topic: '…', subscription: '…' } })`,
    );
  } finally {
    await parts.close();
  }
}
