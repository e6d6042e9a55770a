import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { GcsBucket, PubsubQueues, unknownToFakeGcs } from '../gcp/place.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { gcsEndpoint, pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import { CloudExample } from './example/example.js';

const minutes = 60_000;

async function expectWhole(place: CloudPlace, unknown: readonly string[]): Promise<void> {
  const example = new CloudExample(place);
  try {
    await example.expectWhole(unknown);
  } finally {
    await example.pipeline.close();
    await place.close();
  }
}

test(
  'the example from SQS into GCS, with the answer of the embedded parts',
  async () =>
    expectWhole(
      new CloudPlace(new SqsQueues(await sqsEndpoint()), new GcsBucket(await gcsEndpoint())),
      unknownToFakeGcs,
    ),
  4 * minutes,
);

test(
  'the example from Pub/Sub into S3, with the answer of the embedded parts',
  async () => {
    const queues = new PubsubQueues(await pubsubEndpoint(), await pubsubAdmin());
    // SeaweedFS knows nothing of public access.
    await expectWhole(new CloudPlace(queues, new S3Bucket(await s3Endpoint())), ['block public access']);
  },
  4 * minutes,
);
