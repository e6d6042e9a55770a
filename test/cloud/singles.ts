import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { newId } from '../../src/ids.js';
import type { Message, Queue } from '../../src/providers/queue.js';
import { bodyOf } from '../faults/events.js';
import type { Evidence } from '../faults/judge.js';

interface Single {
  readonly id: string;
  readonly message: Message;
}

/** Numbered events, each a message of its own: sent again under their ids until they are durable, and noted as `catchment send` does. */
export async function sendSingles(
  queue: Queue,
  { sentFile, ledgerFile }: Pick<Evidence, 'sentFile' | 'ledgerFile'>,
  numbers: readonly number[],
): Promise<void> {
  try {
    let open = numbers.map((number): Single => {
      const id = newId();
      return { id, message: { body: Buffer.from(bodyOf({ id, number })), attributes: { 'catchment-id': id } } };
    });
    appendFileSync(sentFile, open.map(({ message }) => `${String(message.body)}\n`).join(''));
    for (let pauseMs = 50; open.length > 0; pauseMs *= 2) {
      const outcomes = await queue.send(open.map(({ message }) => message));
      const durable = open.filter((_, index) => outcomes[index]!.status === 'done');
      appendFileSync(ledgerFile, durable.map(ledgerLine).join(''));
      open = open.filter((single) => !durable.includes(single));
      if (open.length > 0) await sleep(pauseMs);
    }
  } finally {
    await queue.close();
  }
}

function ledgerLine({ id, message }: Single): string {
  return `${JSON.stringify({ id, sha256: createHash('sha256').update(message.body).digest('hex') })}\n`;
}
