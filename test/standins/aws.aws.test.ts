import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';

import { s3Endpoint, sqsEndpoint, sqsmemEndpoint } from './aws.js';

test.each([
  ['ElasticMQ', 'CATCHMENT_TEST_SQS', sqsEndpoint],
  ['sqsmem', 'CATCHMENT_TEST_SQSMEM', sqsmemEndpoint],
])('%s is there for a test, once, and its clients need nothing else', async (_name, variable, endpoint) => {
  const given = await endpoint();
  expect(await endpoint()).toBe(process.env[variable] ?? given);
  const sqs = new SQSClient({ endpoint: given });
  await sqs.send(new ListQueuesCommand({}));
  sqs.destroy();
});

test('SeaweedFS is there for a test, once, and its clients need nothing else', async () => {
  const given = await s3Endpoint();
  expect(await s3Endpoint()).toBe(process.env['CATCHMENT_TEST_S3'] ?? given);
  const s3 = new S3Client({ endpoint: given, forcePathStyle: true });
  await s3.send(new ListBucketsCommand({}));
  s3.destroy();
});
