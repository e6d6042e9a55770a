import { S3 } from '@aws-sdk/client-s3';
import { SQS } from '@aws-sdk/client-sqs';

import { saveRaw } from '../cloud/raw.js';
import type { PlaceLake, PlaceQueues } from '../cloud/place.js';
import '../standins/aws.js';

export class SqsQueues implements PlaceQueues {
  readonly env: { PLACE_SQS: string };
  readonly client: SQS;

  constructor(endpoint: string) {
    this.env = { PLACE_SQS: endpoint };
    this.client = new SQS({ endpoint });
  }

  urlOf(queue: string, endpoint = this.env.PLACE_SQS): string {
    return `${endpoint}/000000000000/${queue}`;
  }

  async backlog(_place: string, queue: string): Promise<{ waiting: number; leased: number }> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const asked = { QueueUrl: this.urlOf(queue), AttributeNames: [...names] };
    const { Attributes = {} } = await this.client.getQueueAttributes(asked);
    const [waiting, leased] = names.map((name) => Number(Attributes[name]));
    return { waiting: waiting!, leased: leased! };
  }

  close(): void {
    this.client.destroy();
  }
}

export class S3Bucket implements PlaceLake {
  readonly env: { PLACE_S3: string };
  readonly #client: S3;

  constructor(endpoint: string) {
    this.env = { PLACE_S3: endpoint };
    this.#client = new S3({ endpoint, forcePathStyle: true });
  }

  async fetch(bucket: string, folder: string): Promise<void> {
    saveRaw(folder);
    for (let after = '', more = true; more;) {
      const listing = { Bucket: bucket, Prefix: 'lake/raw/', StartAfter: after };
      const { Contents = [], IsTruncated } = await this.#client.listObjectsV2(listing);
      for (const { Key } of Contents) {
        const { Body } = await this.#client.getObject({ Bucket: bucket, Key });
        saveRaw(folder, Key, await Body!.transformToByteArray());
        after = Key!;
      }
      more = IsTruncated === true;
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
