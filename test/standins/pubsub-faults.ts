/** gRPC's names of what may go wrong, as far as tests ask for them. */
export type GrpcCode =
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'FAILED_PRECONDITION'
  | 'INTERNAL'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'
  | 'UNIMPLEMENTED';

/** Every receipt of the stand-in holds it (`pubsub/leases.go`). */
export const partOfReceipts = 'QV5AEhI0GDBFU0RQBhYsXUZIUTcZCGhRDk9e';

/** Which calls; of faults that are done to messages, receipts or permissions, which of those. */
interface Choice {
  /** `Publish`, `Pull`, `Acknowledge`, `ModifyAckDeadline`, …; `ListTimeSeries` of Cloud Monitoring. Any unless given. */
  readonly method?: string;
  /** Only the nth that fits, from 1. */
  readonly nth?: number;
  /** At most so many; unlimited unless given. */
  readonly times?: number;
  /** Each with this chance; 1 unless given. */
  readonly share?: number;
  /** Decides what is left to chance; 1 unless given. */
  readonly seed?: number;
}

export type PubsubFault = Choice &
  (
    | {
        /** Fails with it, or is only delayed. */
        readonly code?: GrpcCode;
        readonly delayMs?: number;
        /** Once it has been done: the reply is lost. */
        readonly after?: boolean;
        /** Is never answered. */
        readonly hang?: boolean;
        /** The error says all that was asked, as services do. */
        readonly quote?: boolean;
      }
    /** Receipts that are not taken, as by an exactly-once subscription; `after`: they are, and it is not said. */
    | { readonly kind: 'ackids'; readonly reason?: string; readonly after?: boolean }
    /** Messages that come again: though acknowledged, or since their lease has ended as soon as they were given. */
    | { readonly kind: 'redeliver' | 'lapse' }
    /** Messages that are published twice, under two ids, as by a publisher that did not hear the first answer. */
    | { readonly kind: 'duplicate' }
    /** Messages that can be had only later. */
    | { readonly kind: 'late'; readonly delayMs: number }
    /** Permissions that are not granted. */
    | { readonly kind: 'deny' }
  );

export interface PubsubRuling {
  /** How often it was done. */
  readonly happened: () => Promise<number>;
  readonly remove: () => Promise<void>;
}

/**
 * What pubsub-standin is told and asked by tests. It serves many files of tests at a time: faults are done, and calls counted,
 * only of one's own topics and subscriptions, those whose full names begin with `resource`.
 */
export class PubsubFaults {
  readonly #admin: string;
  readonly #resource: string;

  constructor(admin: string, resource: string) {
    this.#admin = admin;
    this.#resource = resource;
  }

  /** From now on, until it is removed. */
  async rule({ delayMs, ...fault }: PubsubFault & { readonly delayMs?: number }): Promise<PubsubRuling> {
    const asked = { resource: this.#resource, ...fault, ...(delayMs !== undefined && { delay: `${delayMs}ms` }) };
    const query = Object.entries(asked).map(([name, value]): [string, string] => [
      name,
      value === true ? '1' : String(value),
    ]);
    const { id } = await this.#ask<{ id: number }>('POST', 'fault', Object.fromEntries(query));
    return {
      happened: async () => {
        const rules = await this.#ask<{ id: number; happened: number }[]>('GET', 'faults', {});
        const rule = rules.find((each) => each.id === id);
        if (rule === undefined) throw new Error('the rule was removed');
        return rule.happened;
      },
      remove: async () => {
        await this.#ask('DELETE', 'fault', { id: String(id) });
      },
    };
  }

  /** No rule for these topics and subscriptions holds any more; calls that are held stay so. */
  async clear(): Promise<void> {
    await this.#ask('POST', 'clear', { resource: this.#resource });
  }

  /** Calls that have ended, of one method, or of one outcome of it: `seen('Pull', 'OK')`. */
  async seen(method: string, outcome?: GrpcCode | 'OK'): Promise<number> {
    const all = await this.#ask<Record<string, Record<string, number>>>('GET', 'seen', { resource: this.#resource });
    const counts = all[method] ?? {};
    if (outcome !== undefined) return counts[outcome] ?? 0;
    return Object.values(counts).reduce((sum, each) => sum + each, 0);
  }

  /** What a subscription holds at this moment. */
  async stats(subscription: string): Promise<PubsubStats> {
    return await statsOf(this.#admin, subscription);
  }

  async #ask<Answer>(method: string, path: string, query: Query): Promise<Answer> {
    return await ask<Answer>(this.#admin, method, path, query);
  }
}

/** What a subscription holds at this moment, of whoever it is. */
export async function statsOf(admin: string, subscription: string): Promise<PubsubStats> {
  return await ask<PubsubStats>(admin, 'GET', 'stats', { subscription });
}

export interface PubsubStats {
  /** With what is delayed. */
  readonly waiting: number;
  readonly leased: number;
  readonly oldestMs: number;
}

type Query = Readonly<Record<string, string>>;

async function ask<Answer>(admin: string, method: string, path: string, query: Query): Promise<Answer> {
  const response = await fetch(`${admin}/${path}?${String(new URLSearchParams(query))}`, { method });
  const text = await response.text();
  if (!response.ok) throw new Error(`pubsub-standin answers ${response.status} to ${path}: ${text}`);
  return JSON.parse(text) as Answer;
}
