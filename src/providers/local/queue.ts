import { join } from 'node:path';

import { CatchmentError, Unavailable } from '../../errors.js';
import { timeOfId } from '../../ids.js';
import type { Provider } from '../provider.js';
import type { Delivery, Finding, Message, Outcome, Queue, QueueLimits } from '../queue.js';
import { QueueLink } from './queue-link.js';
import type { TakenRow } from './queue-store.js';

export interface LocalQueueOptions {
  /** The queue's file; default `<dataDir>/queue/<part>.db`. Must lie on a local disk. */
  readonly path?: string;
}

/**
 * A durable queue in one SQLite file, for the processes of one machine. What is sent is on the disk when `send` resolves;
 * a message is handed out again, for ever, until it is acknowledged: there are no dead letters.
 */
export function localQueue(options: LocalQueueOptions = {}): Provider<Queue> {
  return {
    name: 'local queue',
    kind: 'queue',
    embedded: true,
    open: ({ dataDir, part }) => new LocalQueue(options.path ?? join(dataDir, 'queue', `${part}.db`)),
  };
}

const limits: QueueLimits = {
  messageBytes: 10 * 2 ** 20,
  receiveMessages: 256,
  receiveBytes: 16 * 2 ** 20,
  leaseMs: 12 * 3_600_000,
};

class LocalQueue implements Queue {
  readonly limits = limits;
  readonly #path: string;
  readonly #link: QueueLink;

  constructor(path: string) {
    this.#path = path;
    this.#link = new QueueLink(path);
  }

  sizeOf({ body, attributes, group }: Message): number {
    let bytes = body.length + Buffer.byteLength(group ?? '');
    for (const [name, value] of Object.entries(attributes)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    return bytes;
  }

  async receive(want: { messages: number; waitMs: number; leaseMs: number; signal: AbortSignal }): Promise<Delivery[]> {
    if (want.signal.aborted) return [];
    const { call, answer } = this.#link.ask('receive', {
      messages: Math.min(want.messages, limits.receiveMessages),
      bytes: limits.receiveBytes,
      waitMs: want.waitMs,
      leaseMs: Math.min(want.leaseMs, limits.leaseMs),
    });
    const abort = () => this.#link.abort(call);
    want.signal.addEventListener('abort', abort);
    try {
      return (await answer).map(deliveryOf);
    } finally {
      want.signal.removeEventListener('abort', abort);
    }
  }

  async send(messages: readonly Message[]): Promise<Outcome[]> {
    const fitting = messages.filter((message) => this.sizeOf(message) <= limits.messageBytes);
    let sent: Outcome = { status: 'done' };
    if (fitting.length > 0) {
      const bodies = endToEnd(fitting.map(({ body }) => body));
      const heads = fitting.map(({ body, attributes, group }) => ({
        head: JSON.stringify([attributes, group]),
        bytes: body.length,
      }));
      try {
        await this.#link.ask('send', { messages: heads, bodies }, [bodies]).answer;
      } catch (error) {
        sent = failed(error);
      }
    }
    return messages.map((message) => {
      const bytes = this.sizeOf(message);
      return bytes <= limits.messageBytes ? sent : this.#tooLarge(bytes);
    });
  }

  acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    return this.#settle(receipts);
  }

  extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]> {
    return this.#settle(receipts, Math.min(leaseMs, limits.leaseMs));
  }

  async #settle(receipts: readonly string[], leaseMs?: number): Promise<Outcome[]> {
    if (receipts.length === 0) return [];
    try {
      const settled = await this.#link.ask('settle', { receipts, ...(leaseMs !== undefined && { leaseMs }) }).answer;
      // To acknowledge again what is gone is to repeat what succeeded; there is nothing left to extend.
      const done = leaseMs === undefined ? ['held', 'gone'] : ['held'];
      return settled.map((state) => ({ status: done.includes(state) ? 'done' : 'expired' }));
    } catch (error) {
      return receipts.map(() => failed(error));
    }
  }

  backlog(): Promise<{ waiting: number; leased: number; oldestMs?: number }> {
    return this.#link.ask('backlog', {}).answer;
  }

  async check(): Promise<readonly Finding[]> {
    try {
      return await this.#link.ask('check', {}).answer;
    } catch (error) {
      if (error instanceof Unavailable) return [{ level: 'error', what: error.message }];
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #tooLarge(bytes: number): Outcome {
    const error = new CatchmentError(
      `A message of ${bytes} bytes is too large for the queue in ${this.#path}, which takes ${limits.messageBytes}: ` +
        'split it, or send a reference to what it holds.',
      { path: this.#path },
    );
    return { status: 'failed', error, retry: false };
  }
}

function failed(error: unknown): Outcome {
  return { status: 'failed', error: error as Error, retry: error instanceof Unavailable };
}

function deliveryOf({ id, receipt, deliveries, head, body }: TakenRow): Delivery {
  const [attributes, group] = JSON.parse(head) as [Record<string, string>, (string | null)?];
  return {
    id,
    receipt,
    deliveries,
    // The id is made when the message is sent, and its time is the send time: the same on every delivery.
    sentAt: new Date(timeOfId(id) ?? 0),
    attributes,
    ...(typeof group === 'string' && { group }),
    body: new Uint8Array(body),
  };
}

/** A copy that can be handed to the thread: the caller keeps its own. */
function endToEnd(bodies: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
  let at = 0;
  for (const body of bodies) {
    all.set(body, at);
    at += body.length;
  }
  return all.buffer;
}
