import { wholeBody, type Around, type Call, type Outcome, type Reply } from './fault.js';

/** What the faults read of SQS's JSON; all else of it passes as it is. */
export interface Entry {
  readonly Id: string;
}
export interface BatchInput {
  readonly QueueUrl: string;
  readonly Entries: readonly Entry[];
}
export interface BatchOutput {
  readonly Successful?: readonly Entry[];
  readonly Failed?: readonly Entry[];
}
export interface ReceiveInput {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages?: number;
  readonly WaitTimeSeconds?: number;
}
export interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
}
export interface ReceiveOutput {
  readonly Messages?: readonly Message[];
}

/** What a call asks for; the caller knows its operation. */
export async function inputOf<Input>(call: Call): Promise<Input> {
  return JSON.parse(String(await call.body())) as Input;
}

export function bodyOf(input: object): Buffer {
  return Buffer.from(JSON.stringify(input));
}

/** Messages keep their bodies, so the MD5s that the target gave with them stay right. */
export function replyWith(output: object): Reply {
  const body = bodyOf(output);
  const headers = ['content-type', 'application/x-amz-json-1.0', 'content-length', String(body.length)];
  return { status: 200, headers, body };
}

/** What the target answered; errors, and replies that another fault took, are not to be touched. */
export async function outputOf<Output>(outcome: Outcome): Promise<Output | undefined> {
  if (typeof outcome === 'string' || outcome.status !== 200) return undefined;
  return JSON.parse(String(await wholeBody(outcome.body))) as Output;
}

/**
 * A call of the proxy's own, behind the client's back. undefined: the target fails, as any service may; ElasticMQ 1.7.1 does
 * now and then, 21 s after "mutation occurred during iteration" in its log.
 */
export async function askSqs<Output>(around: Around, operation: string, input: object): Promise<Output | undefined> {
  const body = bodyOf(input);
  const reply = await around.ask(
    {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': String(body.length),
      'x-amz-target': `AmazonSQS.${operation}`,
    },
    body,
  );
  if (reply.status >= 500) return undefined;
  if (reply.status !== 200) throw new Error(`${operation} of the proxy's own: ${reply.status} ${String(reply.body)}`);
  return JSON.parse(String(reply.body)) as Output;
}
