import type { Delivery, Message, Outcome, Queue } from '../../src/providers/queue.js';

export interface MemoryQueueOptions {
  readonly messageBytes?: number;
  /** What a send answers instead of keeping the message; undefined: it is kept. */
  readonly answer?: (message: Message) => Outcome | undefined | Promise<Outcome | undefined>;
}

/** Keeps what is sent, measures as SQS does (base64), and answers what a test wants. */
export class MemoryQueue implements Queue {
  readonly sent: Message[] = [];
  readonly limits;
  leased = 0;
  deadLetters?: Queue;
  readonly #options: MemoryQueueOptions;

  constructor(options: MemoryQueueOptions = {}) {
    this.#options = options;
    this.limits = {
      messageBytes: options.messageBytes ?? 262_144,
      receiveMessages: 10,
      receiveBytes: 1_000_000,
      leaseMs: 43_200_000,
    };
  }

  sizeOf({ body, attributes }: Message): number {
    const names = Object.entries(attributes).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    return Math.ceil(body.length / 3) * 4 + names;
  }

  async send(messages: readonly Message[]): Promise<Outcome[]> {
    return Promise.all(
      messages.map(async (message) => {
        const answer = await this.#options.answer?.(message);
        if (answer === undefined) this.sent.push(message);
        return answer ?? { status: 'done' };
      }),
    );
  }

  backlog(): Promise<{ waiting: number; leased: number }> {
    return Promise.resolve({ waiting: this.sent.length, leased: this.leased });
  }

  receive(): Promise<Delivery[]> {
    return Promise.resolve([]);
  }

  acknowledge(): Promise<Outcome[]> {
    return Promise.resolve([]);
  }

  extend(): Promise<Outcome[]> {
    return Promise.resolve([]);
  }

  check(): Promise<[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a poller makes of the messages, in the order in which they were sent. */
export function deliveries(queue: MemoryQueue, sentAt = new Date()): Delivery[] {
  return queue.sent.map((message, at) => ({ ...message, id: `message-${at}`, receipt: `${at}`, sentAt }));
}
