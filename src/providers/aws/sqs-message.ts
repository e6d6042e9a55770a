import { isUtf8 } from 'node:buffer';

import type { Message as SqsMessage, MessageAttributeValue } from '@aws-sdk/client-sqs';

import { Unavailable } from '../../errors.js';
import type { Delivery, Message } from '../queue.js';

/** What SQS carries of a message. */
export interface SqsContent {
  readonly MessageBody: string;
  readonly MessageAttributes?: Record<string, MessageAttributeValue>;
  readonly MessageGroupId?: string;
}

/**
 * Ours, taken off again on receiving. `encoding`: the body is Base64, or stands for none at all. `folded`: all attributes
 * as one JSON text in ASCII, where SQS cannot carry one of them, or not so many.
 */
const ours = { encoding: 'catchment-body', folded: 'catchment-attributes' } as const;
const mostAttributes = 10;
const noBody = 'empty';

/**
 * SQS carries what XML can: not most control characters, U+FFFE and U+FFFF, no empty text, and at most ten attributes with
 * names of its own kind (AWS: SQS developer guide, "Amazon SQS message quotas" and "message attribute components").
 */
const unsendable = /[^\t\n\r\u0020-\ufffd]/;
const plainName = /^(?!aws\.|amazon\.)(?!\.)(?!.*\.\.)[a-z0-9_.-]{1,256}(?<!\.)$/i;

export function toSqs({ body, attributes, group }: Message): SqsContent {
  const { text, encoding } = encodeBody(body);
  const carried = encodeAttributes(attributes, encoding);
  return {
    MessageBody: text,
    ...(Object.keys(carried).length > 0 && { MessageAttributes: carried }),
    ...(group !== undefined && { MessageGroupId: group }),
  };
}

/** Bytes that count towards SQS's limit: the body, and of each attribute its name, type and value. */
export function sizeOf({ MessageBody, MessageAttributes = {} }: SqsContent): number {
  let bytes = Buffer.byteLength(MessageBody);
  for (const [name, { DataType, StringValue }] of Object.entries(MessageAttributes))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType!) + Buffer.byteLength(StringValue!);
  return bytes;
}

/** Anybody's message: what others' producers sent is taken as it is, a number as its digits, binary values as Base64. */
export function toDelivery(message: SqsMessage): Delivery {
  const { encoding, attributes } = decodeAttributes(message.MessageAttributes ?? {});
  const { SentTimestamp, ApproximateReceiveCount, MessageGroupId } = message.Attributes ?? {};
  // Without it no envelope can be made of the batch, which would come again for ever without a word.
  if (!/^\d+$/.test(SentTimestamp ?? ''))
    throw new Unavailable('the queue does not say when a message was sent (SentTimestamp): use a service that does');
  return {
    id: message.MessageId!,
    receipt: message.ReceiptHandle!,
    sentAt: new Date(Number(SentTimestamp)),
    ...(ApproximateReceiveCount !== undefined && { deliveries: Number(ApproximateReceiveCount) }),
    ...(MessageGroupId !== undefined && { group: MessageGroupId }),
    attributes,
    body: decodeBody(message.Body ?? '', encoding),
  };
}

function encodeBody(body: Uint8Array): { text: string; encoding?: string } {
  if (body.length === 0) return { text: noBody, encoding: 'empty' };
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  if (text !== undefined && isSendable(text)) return { text };
  return { text: bytes.toString('base64'), encoding: 'base64' };
}

/** By UTF-16 units: of text that is well-formed, surrogates are halves of characters that XML takes. */
function isSendable(text: string): boolean {
  return text !== '' && !unsendable.test(text);
}

function encodeAttributes(attributes: Message['attributes'], encoding?: string): Record<string, MessageAttributeValue> {
  const own: Record<string, MessageAttributeValue> = encoding === undefined ? {} : { [ours.encoding]: text(encoding) };
  const entries = Object.entries(attributes);
  const most = mostAttributes - Object.keys(own).length;
  if (entries.length <= most && entries.every(isPlain))
    return { ...Object.fromEntries(entries.map(([name, value]) => [name, text(value)])), ...own };
  return { ...own, [ours.folded]: text(ascii(JSON.stringify(attributes))) };
}

function isPlain([name, value]: [string, string]): boolean {
  return plainName.test(name) && !isOurs(name) && value.isWellFormed() && isSendable(value);
}

const isOurs = (name: string): boolean => name === ours.encoding || name === ours.folded;

const text = (value: string): MessageAttributeValue => ({ DataType: 'String', StringValue: value });

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function decodeAttributes(values: Record<string, MessageAttributeValue>): {
  encoding?: string;
  attributes: Record<string, string>;
} {
  const entries = Object.entries(values).map(([name, value]): [string, string] => [name, asText(value)]);
  const encoding = entries.find(([name]) => name === ours.encoding)?.[1];
  const attributes = entries
    .filter(([name]) => name !== ours.encoding)
    .flatMap(([name, value]) => (name === ours.folded && unfold(value)) || [[name, value] as const]);
  return { ...(encoding !== undefined && { encoding }), attributes: Object.fromEntries(attributes) };
}

function asText({ StringValue, BinaryValue }: MessageAttributeValue): string {
  // The SDK has decoded it, where it made the call.
  return (
    StringValue ?? (typeof BinaryValue === 'string' ? BinaryValue : Buffer.from(BinaryValue ?? []).toString('base64'))
  );
}

/** Undefined where it is none of ours: then it is an attribute like any other. */
function unfold(json: string): [string, string][] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? entries : undefined;
  } catch {
    return undefined;
  }
}

function decodeBody(body: string, encoding?: string): Uint8Array {
  if (encoding === 'empty' && body === noBody) return new Uint8Array(0);
  if (encoding === 'base64') {
    const bytes = Buffer.from(body, 'base64');
    // Anything else is not of our making, and is taken as it came.
    if (bytes.toString('base64') === body) return bytes;
  }
  return Buffer.from(body, 'utf8');
}
