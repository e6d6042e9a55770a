import type { protos } from '@google-cloud/pubsub';

import { Unavailable } from '../../errors.js';
import { newId } from '../../ids.js';
import type { Delivery, Message } from '../queue.js';

type ReceivedMessage = protos.google.pubsub.v1.IReceivedMessage;

/** What Pub/Sub carries of a message. */
export interface PubsubContent {
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

/**
 * Ours, taken off again on receiving. `id`: the message's own, since what was published twice, by a retry after a lost answer or
 * as a dead letter, has two ids of Pub/Sub's. `folded`: how many bytes of the data, at its beginning, are all attributes as
 * JSON, where Pub/Sub cannot carry one of them, or not so many.
 */
const ours = { id: 'catchment-message', folded: 'catchment-attributes' } as const;

/** Google: Pub/Sub, "Quotas and limits", resource limits. */
const most = { attributes: 100, keyBytes: 256, valueBytes: 1_024 } as const;

/** What the service adds to a message that it makes a dead letter, and its producer did not send; and when that was. */
const ofDeadLetters = 'CloudPubSubDeadLetterSource';
const firstSentAt = `${ofDeadLetters}TopicPublishTime`;

/** The bytes are copied: who sends may use them again at once. */
export function toPubsub({ body, attributes, group }: Message): PubsubContent {
  const { carried, prefix } = encodeAttributes(attributes);
  return {
    data: Buffer.concat([prefix, body]),
    attributes: { ...carried, [ours.id]: newId() },
    ...(group !== undefined && { orderingKey: group }),
  };
}

/** What the message takes of a request, in bytes, as Protocol Buffers write it. */
export function sizeOf({ body, attributes, group }: Message): number {
  const { carried, prefix } = encodeAttributes(attributes);
  let bytes = field(prefix.length + body.length);
  for (const [name, value] of [...Object.entries(carried), ownId])
    bytes += field(field(Buffer.byteLength(name)) + field(Buffer.byteLength(value)));
  if (group !== undefined) bytes += field(Buffer.byteLength(group));
  return field(bytes);
}

/** Each is as long. */
const ownId: [string, string] = [ours.id, newId()];

/** A field's tag, its length and its content; none of ours has a number beyond 15, whose tag would be longer. */
export function field(bytes: number): number {
  let length = 2;
  for (let rest = bytes; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length + bytes;
}

const nothing = new Uint8Array(0);

function encodeAttributes(attributes: Message['attributes']): {
  carried: Readonly<Record<string, string>>;
  prefix: Uint8Array;
} {
  const entries = Object.entries(attributes);
  if (entries.length < most.attributes && entries.every(isPlain)) return { carried: attributes, prefix: nothing };
  const prefix = Buffer.from(JSON.stringify(attributes));
  return { carried: { [ours.folded]: String(prefix.length) }, prefix };
}

function isPlain([name, value]: [string, string]): boolean {
  return (
    name !== '' &&
    !name.startsWith('goog') &&
    name !== ours.id &&
    name !== ours.folded &&
    name.isWellFormed() &&
    value.isWellFormed() &&
    Buffer.byteLength(name) <= most.keyBytes &&
    Buffer.byteLength(value) <= most.valueBytes
  );
}

/**
 * Anybody's message: what others' producers sent is taken as it is. `isDead`: of a subscription of dead letters, where what was
 * added to them is not the producer's, and may be believed.
 */
export function toDelivery({ ackId, message, deliveryAttempt }: ReceivedMessage, isDead = false): Delivery {
  const { data, attributes: given, messageId, publishTime, orderingKey } = message ?? {};
  const all = given ?? {};
  const { [ours.id]: own, [ours.folded]: folded, ...rest } = all;
  const others = isDead
    ? Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith(ofDeadLetters)))
    : rest;
  const first = isDead ? Date.parse(all[firstSentAt] ?? '') : NaN;
  const sentAt = Number.isNaN(first) ? Number(publishTime?.seconds) * 1_000 + (publishTime?.nanos ?? 0) / 1e6 : first;
  // Without it no envelope can be made of the batch, which would come again for ever without a word.
  if (Number.isNaN(sentAt))
    throw new Unavailable('the subscription does not say when a message was sent: use a service that does');
  const body = data instanceof Uint8Array ? data : Buffer.from(data ?? '', 'base64');
  const unfolded = folded === undefined ? undefined : unfold(body, folded);
  return {
    id: own !== undefined && isId(own) ? own : messageId!,
    receipt: ackId!,
    sentAt: new Date(sentAt),
    // 0 where the subscription has no dead letters, and so does not count.
    ...(Number(deliveryAttempt) > 0 && { deliveries: Number(deliveryAttempt) }),
    ...((orderingKey ?? '') !== '' && { group: orderingKey! }),
    body: unfolded?.body ?? body,
    // Who passes a message of ours on may have added some.
    attributes: { ...others, ...(unfolded?.attributes ?? (folded !== undefined && { [ours.folded]: folded })) },
  };
}

/** Of our making: anything else under that name is nobody's id. */
const isId = (text: string): boolean => /^[0-9a-f-]{36}$/.test(text);

/** Undefined where it is none of ours: then it is an attribute like any other. */
function unfold(data: Uint8Array, folded: string): Pick<Delivery, 'attributes' | 'body'> | undefined {
  const length = /^\d{1,8}$/.test(folded) ? Number(folded) : Infinity;
  if (length > data.length) return undefined;
  try {
    const attributes: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, length).toString());
    if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return undefined;
    if (!Object.values(attributes).every((value) => typeof value === 'string')) return undefined;
    return { attributes: attributes as Record<string, string>, body: data.subarray(length) };
  } catch {
    return undefined;
  }
}
