import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { S3 } from '@aws-sdk/client-s3';
import { SQS } from '@aws-sdk/client-sqs';

import type { Surroundings } from '../faults/pipeline.js';
import '../standins/aws.js';

/** Addresses of SQS and S3. */
export interface Services {
  readonly sqs: string;
  readonly s3: string;
}

/**
 * Queues and a bucket for one pipeline alone, as `parts.ts` names them in its config. The test looks at them with the
 * SDK's own clients, past whatever stands between the pipeline and the services.
 */
export class AwsPlace {
  readonly name = `place-${randomUUID()}`;
  readonly sqs: SQS;
  readonly #s3: S3;
  readonly services: Services;

  constructor(services: Services) {
    this.services = services;
    this.sqs = new SQS({ endpoint: services.sqs });
    this.#s3 = new S3({ endpoint: services.s3, forcePathStyle: true });
  }

  /** For a pipeline here. `reached`: where it has the services, if proxies stand before them. */
  surroundings(reached = this.services, heldMessages?: number): Surroundings {
    const env: Record<string, string> = { PLACE_SQS: reached.sqs, PLACE_S3: reached.s3, PLACE_NAME: this.name };
    if (heldMessages !== undefined) env['PLACE_HELD'] = String(heldMessages);
    return {
      env,
      fetchLake: (folder) => this.fetchLake(folder),
    };
  }

  queueUrl(which: string, endpoint = this.services.sqs): string {
    return `${endpoint}/000000000000/${this.name}-${which}`;
  }

  async backlog(which: string): Promise<{ waiting: number; leased: number }> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const asked = { QueueUrl: this.queueUrl(which), AttributeNames: [...names] };
    const { Attributes = {} } = await this.sqs.getQueueAttributes(asked);
    const [waiting, leased] = names.map((name) => Number(Attributes[name]));
    return { waiting: waiting!, leased: leased! };
  }

  /** Every raw object, as a folder lake would have it. */
  async fetchLake(folder: string): Promise<void> {
    mkdirSync(join(folder, 'raw'), { recursive: true });
    for (let after = '', more = true; more;) {
      const listing = { Bucket: this.name, Prefix: 'lake/raw/', StartAfter: after };
      const { Contents = [], IsTruncated } = await this.#s3.listObjectsV2(listing);
      for (const { Key } of Contents) {
        const { Body } = await this.#s3.getObject({ Bucket: this.name, Key });
        const file = join(folder, Key!.slice('lake/'.length));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, await Body!.transformToByteArray());
        after = Key!;
      }
      more = IsTruncated === true;
    }
  }

  close(): void {
    this.sqs.destroy();
    this.#s3.destroy();
  }
}
