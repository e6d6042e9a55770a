import { setTimeout as delay } from 'node:timers/promises';

import pLimit from 'p-limit';

import { envelopeBytes } from '../envelope.js';
import { describeError, EventRefused, Unavailable } from '../errors.js';
import { reserved, type Attributes } from '../events.js';
import { newId } from '../ids.js';
import { pack, packLimits, single, type OutgoingEvent } from '../packing.js';
import type { Message, Queue } from '../providers/queue.js';

/** An event as its producer hands it over. */
export interface NewEvent {
  readonly body: Uint8Array;
  /** Names that begin with `catchment-` are refused. */
  readonly attributes?: Attributes;
  /** Equal on every attempt to send the event; a UUIDv7 of the moment by default. */
  readonly id?: string;
}

export interface SenderOptions {
  /** Given to every event; an event's own win. */
  readonly attributes?: Attributes;
  /** How long an event waits for others to share its message, in milliseconds; 50 by default. */
  readonly lingerMs?: number;
  /** Most messages that are being sent at once; 4 by default. */
  readonly inFlight?: number;
  /** Bytes of bodies held before `room` makes a producer wait; 32 MB by default. */
  readonly heldBytes?: number;
  /** Once aborted, what fails is not tried again. */
  readonly signal?: AbortSignal;
  /** An attempt failed and will be repeated. */
  readonly onRetry?: (error: Error) => void;
}

export interface Sender {
  /**
   * Resolves with the event's id once the event is durable on the queue, however often that has to be tried. Rejects with
   * `EventRefused` when the queue can never take it, and with the last failure after an abort: it may then have been
   * sent or not, and sending it again under the same id does no harm.
   */
  send(event: NewEvent): Promise<string>;
  /** Resolves when there is room: for producers that do not wait for each event. */
  room(): Promise<void>;
  /** Sends what waits for company, and resolves when nothing is under way any more. */
  flush(): Promise<void>;
}

interface Waiting {
  readonly event: OutgoingEvent;
  readonly done: (id: string) => void;
  readonly fail: (error: Error) => void;
}

/** Bodies of a packed message: large enough that a message's own cost is spread, small enough to retry cheaply. */
const packSize = { bytes: 256_000, events: 500 } as const;
/** Room for what a provider's encoding (base64) adds; what still does not fit is split. */
const encodingShare = 0.7;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** Packs events into messages and sends them until they are durable. */
export function createSender(queue: Queue, options: SenderOptions = {}): Sender {
  const common = options.attributes ?? {};
  const inFlight = pLimit(options.inFlight ?? 4);
  const packBytes = Math.min(packSize.bytes, queue.limits.messageBytes * encodingShare);
  const heldBytes = options.heldBytes ?? 32_000_000;

  let open: Waiting[] = [];
  let openBytes = 0;
  let openEnvelopes = 0;
  let linger: NodeJS.Timeout | undefined;
  let held = 0;
  const underWay = new Set<Promise<void>>();

  function add(waiting: Waiting): void {
    const { body, attributes } = waiting.event;
    const envelope = envelopeBytes(body.length, { ...common, ...attributes });
    if (openBytes + body.length > packBytes || openEnvelopes + envelope > packLimits.envelopeBytes) close();
    open.push(waiting);
    openBytes += body.length;
    openEnvelopes += envelope;
    held += body.length;
    if (open.length >= packSize.events || openBytes >= packBytes) close();
    else linger ??= setTimeout(close, options.lingerMs ?? 50);
  }

  function close(): void {
    clearTimeout(linger);
    linger = undefined;
    if (open.length === 0) return;
    const [events, bytes] = [open, openBytes];
    [open, openBytes, openEnvelopes] = [[], 0, 0];
    const delivery = inFlight(() => deliver(events))
      .catch((error: unknown) => {
        for (const { fail } of events) fail(error as Error);
      })
      .finally(() => {
        held -= bytes;
        underWay.delete(delivery);
      });
    underWay.add(delivery);
  }

  async function deliver(events: readonly Waiting[]): Promise<void> {
    const message = fitting(events.map(({ event }) => event));
    const outcome = message === undefined ? 'refused' : await sendUntilDurable(message);
    if (outcome === 'durable') for (const { done, event } of events) done(event.id);
    else if (outcome !== 'refused' && !(outcome instanceof EventRefused)) for (const { fail } of events) fail(outcome);
    else if (events.length === 1) events[0]!.fail(outcome === 'refused' ? tooLarge(events[0]!.event) : outcome);
    else {
      // One event that the queue does not take must not cost the others that share its message.
      const half = Math.ceil(events.length / 2);
      await deliver(events.slice(0, half));
      await deliver(events.slice(half));
    }
  }

  /** undefined where the events do not fit into one message. */
  function fitting(events: readonly OutgoingEvent[]): Message | undefined {
    const packed = pack(events, common);
    if (queue.sizeOf(packed) <= queue.limits.messageBytes) return packed;
    const alone = events.length === 1 ? aloneOf(events[0]!) : undefined;
    return alone !== undefined && queue.sizeOf(alone) <= queue.limits.messageBytes ? alone : undefined;
  }

  function aloneOf(event: OutgoingEvent): Message {
    return single({ ...event, attributes: { ...common, ...event.attributes } });
  }

  function tooLarge(event: OutgoingEvent): EventRefused {
    const size = queue.sizeOf(aloneOf(event));
    return new EventRefused(
      `the event takes ${size} bytes as a message; the queue takes at most ${queue.limits.messageBytes}`,
    );
  }

  async function sendUntilDurable(message: Message): Promise<'durable' | Error> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const failure = await attempt(message);
      if (failure === undefined) return 'durable';
      if (failure instanceof EventRefused || options.signal?.aborted === true) return failure;
      options.onRetry?.(failure);
      await delay(pauseMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }

  async function attempt(message: Message): Promise<Error | undefined> {
    try {
      const [outcome] = await queue.send([message]);
      if (outcome?.status === 'done') return undefined;
      if (outcome?.status !== 'failed') return new Unavailable('the queue gave no answer for a message');
      return outcome.retry
        ? outcome.error
        : new EventRefused(`the queue refuses the event: ${describeError(outcome.error)}`);
    } catch (error) {
      return error instanceof Error ? error : new Unavailable(describeError(error));
    }
  }

  return {
    async send({ body, attributes = {}, id = newId() }) {
      const name = Object.keys({ ...common, ...attributes }).find((key) => key.startsWith(reserved));
      if (name !== undefined)
        throw new EventRefused(`the attribute ${name} is not the producer's to set: ${reserved}* is reserved`);
      if (id === '') throw new EventRefused('the id of the event is empty; leave it out, and the event is given one');
      return new Promise<string>((done, fail) => add({ event: { id, attributes, body }, done, fail }));
    },
    async room() {
      while (held > heldBytes && underWay.size > 0) await Promise.race(underWay);
    },
    async flush() {
      close();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
