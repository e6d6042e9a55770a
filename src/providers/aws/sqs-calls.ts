import type * as Client from '@aws-sdk/client-sqs';
import type {
  ChangeMessageVisibilityBatchRequestEntry,
  DeleteMessageBatchRequestEntry,
  Message as SqsMessage,
  QueueAttributeName,
  SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';

import { CatchmentError } from '../../errors.js';
import { clientOptions, sdkError, unavailable } from './sdk.js';
import type { Attributes } from './sqs-attributes.js';
import type { BatchResult } from './sqs-batches.js';
import { ThinCalls } from './sqs-thin.js';
import type { QueueUrl } from './sqs-url.js';

/** What a call is made with, once the SDK is loaded. */
interface Opened {
  readonly client: SQSClient;
  readonly sdk: typeof Client;
  /** For the calls that carry messages. */
  readonly thin: ThinCalls;
  readonly QueueUrl: string;
}

/** No request waits for longer than two seconds, or carries more than a receive of ten of the largest messages. */
const patience = { longestMs: 15_000, silenceMs: 15_000 };

/** SQS's calls on one queue. Each throws `Unavailable` with what was asked; the SDK is loaded by the first. */
export class SqsCalls {
  readonly queue: QueueUrl;
  readonly #region: string | undefined;
  #opened: Promise<Opened> | undefined;
  #closed = false;

  constructor(queue: QueueUrl, region: string | undefined) {
    this.queue = queue;
    this.#region = region ?? queue.region;
  }

  async receive(want: { messages: number; waitSeconds: number; leaseSeconds: number }): Promise<readonly SqsMessage[]> {
    const { Messages } = await this.#call('receiving from', 'sqs:ReceiveMessage', async (on) => {
      const input: Client.ReceiveMessageCommandInput = {
        QueueUrl: on.QueueUrl,
        MaxNumberOfMessages: want.messages,
        WaitTimeSeconds: want.waitSeconds,
        VisibilityTimeout: want.leaseSeconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount', 'MessageGroupId'],
      };
      const received = await on.thin.try<Client.ReceiveMessageResult>('ReceiveMessage', input);
      return received ?? on.client.send(new on.sdk.ReceiveMessageCommand(input));
    });
    return Messages ?? [];
  }

  /** 'too long': none was sent, since the queue takes less in one batch, and in one message, than SQS does. */
  send(Entries: SendMessageBatchRequestEntry[]): Promise<BatchResult | 'too long'> {
    return this.#call('sending to', 'sqs:SendMessage', async ({ client, sdk, thin, QueueUrl }) => {
      const sent = await thin.try<BatchResult>('SendMessageBatch', { QueueUrl, Entries });
      if (sent !== undefined) return sent;
      try {
        return await client.send(new sdk.SendMessageBatchCommand({ QueueUrl, Entries }));
      } catch (error) {
        if (/BatchRequestTooLong$/.test(sdkError(error).name)) return 'too long';
        throw error;
      }
    });
  }

  delete(Entries: DeleteMessageBatchRequestEntry[]): Promise<BatchResult> {
    return this.#call('acknowledging on', 'sqs:DeleteMessage', async ({ client, sdk, thin, QueueUrl }) => {
      const deleted = await thin.try<BatchResult>('DeleteMessageBatch', { QueueUrl, Entries });
      return deleted ?? client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl, Entries }));
    });
  }

  extend(Entries: ChangeMessageVisibilityBatchRequestEntry[]): Promise<BatchResult> {
    const permission = 'sqs:ChangeMessageVisibility';
    return this.#call('extending leases on', permission, async ({ client, sdk, thin, QueueUrl }) => {
      const extended = await thin.try<BatchResult>('ChangeMessageVisibilityBatch', { QueueUrl, Entries });
      return extended ?? client.send(new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    });
  }

  async attributes(...AttributeNames: QueueAttributeName[]): Promise<Attributes> {
    const { Attributes } = await this.#call('looking at', 'sqs:GetQueueAttributes', ({ client, sdk, QueueUrl }) =>
      client.send(new sdk.GetQueueAttributesCommand({ QueueUrl, AttributeNames })),
    );
    return Attributes ?? {};
  }

  /** All of the queue's attributes; undefined where there is no such queue. */
  find(): Promise<Attributes | undefined> {
    return this.#call('looking at', 'sqs:GetQueueAttributes', async ({ client, sdk, QueueUrl }) => {
      try {
        const command = new sdk.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
        return (await client.send(command)).Attributes ?? {};
      } catch (error) {
        if (/QueueDoesNotExist$|NonExistentQueue$/.test(sdkError(error).name)) return undefined;
        throw error;
      }
    });
  }

  /** Returns the URL of what was made. */
  async create(attributes: Attributes): Promise<string> {
    const { QueueUrl } = await this.#call('making', 'sqs:CreateQueue', ({ client, sdk }) =>
      client.send(new sdk.CreateQueueCommand({ QueueName: this.queue.name, Attributes: attributes })),
    );
    return QueueUrl!;
  }

  async set(attributes: Attributes): Promise<void> {
    await this.#call('changing', 'sqs:SetQueueAttributes', ({ client, sdk, QueueUrl }) =>
      client.send(new sdk.SetQueueAttributesCommand({ QueueUrl, Attributes: attributes })),
    );
  }

  /** Calls under way are to have ended: what is asked later is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    (await this.#opened?.catch(() => undefined))?.client.destroy();
  }

  /** `what` and the queue make a sentence; `permission` is what is to be granted where it is refused. */
  async #call<Output>(what: string, permission: string, ask: (on: Opened) => Promise<Output>): Promise<Output> {
    const { url } = this.queue;
    if (this.#closed) throw new CatchmentError(`The queue ${url} is closed.`, { path: url });
    try {
      return await ask(await (this.#opened ??= this.#open()));
    } catch (error) {
      throw unavailable(error, { doing: `${what} the queue ${url}`, permission });
    }
  }

  /** What failed is tried anew by the next call. */
  #open(): Promise<Opened> {
    return this.#load().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
  }

  async #load(): Promise<Opened> {
    const sdk = await import('@aws-sdk/client-sqs');
    // A queue's URL names the service too: with PrivateLink, FIPS or a stand-in it is the only address there is.
    const { endpoint, url: QueueUrl } = this.queue;
    const region = this.#region === undefined ? {} : { region: this.#region };
    // Bodies are held against no MD5 of SQS's: TLS has seen to that, and it is a tenth of the cost of a call.
    const client = new sdk.SQSClient({ ...clientOptions(patience), ...region, endpoint, md5: false });
    return { client, sdk, thin: new ThinCalls(client, endpoint), QueueUrl };
  }
}
