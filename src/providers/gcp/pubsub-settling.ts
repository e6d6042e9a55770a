import pLimit, { type LimitFunction } from 'p-limit';

import type { Outcome } from '../queue.js';
import type { PubsubCalls } from './pubsub-calls.js';
import { callsAtOnce, inChunks, ownBytes, requestLimits } from './pubsub-chunks.js';
import type { Facts } from './pubsub-facts.js';
import { field } from './pubsub-message.js';
import { done, ofFailure, ofNamedReceipts } from './pubsub-outcomes.js';
import { sdkError } from './sdk.js';

type Call = (receipts: readonly string[]) => Promise<void>;

/** Acknowledges and extends leases, with one outcome a receipt. */
export class Settling {
  readonly #calls: PubsubCalls;
  readonly #facts: Facts;
  /** Extensions are never in the way of acknowledgements. */
  readonly #atOnce = { acknowledge: pLimit(callsAtOnce), extend: pLimit(callsAtOnce) };

  constructor(calls: PubsubCalls, facts: Facts) {
    this.#calls = calls;
    this.#facts = facts;
  }

  acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    const { acknowledge } = this.#atOnce;
    return this.#settle(acknowledge, receipts, 'acknowledging on', (ids) => this.#calls.acknowledge(ids));
  }

  extend(receipts: readonly string[], seconds: number): Promise<Outcome[]> {
    const { extend } = this.#atOnce;
    return this.#settle(extend, receipts, 'extending leases on', (ids) => this.#calls.extend(ids, seconds));
  }

  async #settle(atOnce: LimitFunction, receipts: readonly string[], doing: string, call: Call): Promise<Outcome[]> {
    if (receipts.length === 0) return [];
    const bytesOf = (receipt: string): number => field(Buffer.byteLength(receipt));
    const limit = (await this.#facts.deliversExactlyOnce()) ? requestLimits.exactReceipts : requestLimits.receipts;
    const chunks = inChunks(receipts, { limit, own: ownBytes, bytesOf });
    const settled = await Promise.all(chunks.map((chunk) => atOnce(() => this.#settleChunk(chunk, doing, call))));
    return settled.flat();
  }

  async #settleChunk(chunk: readonly string[], doing: string, call: Call): Promise<Outcome[]> {
    try {
      await call(chunk);
      return chunk.map(() => done);
    } catch (error) {
      const named = ofNamedReceipts(error, chunk);
      if (named !== undefined) return named;
      if (sdkError(error).grpc === 3) return this.#settleApart(chunk, doing, call);
      const { subscription } = this.#calls;
      const failed = this.#calls.failure(error, `${doing} ${subscription}`, 'pubsub.subscriptions.consume');
      return chunk.map(() => ofFailure(failed));
    }
  }

  /** INVALID_ARGUMENT: one of them is no receipt any more, which must not spoil the others. */
  async #settleApart(chunk: readonly string[], doing: string, call: Call): Promise<Outcome[]> {
    if (chunk.length === 1) return [{ status: 'expired' }];
    const half = Math.ceil(chunk.length / 2);
    return [
      ...(await this.#settleChunk(chunk.slice(0, half), doing, call)),
      ...(await this.#settleChunk(chunk.slice(half), doing, call)),
    ];
  }
}
