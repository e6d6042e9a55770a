import { PubSub } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';

import { gcsEndpoint, pubsubAdmin, pubsubEndpoint } from './gcp.js';

test('pubsub-standin is there for a test, once, with its admin port, and its clients need nothing else', async () => {
  const given = await pubsubEndpoint();
  expect(await pubsubEndpoint()).toBe(process.env['CATCHMENT_TEST_PUBSUB'] ?? given);
  const pubsub = new PubSub({ apiEndpoint: given, emulatorMode: true });
  expect(await pubsub.getTopics()).toBeDefined();
  await pubsub.close();
  expect((await fetch(`${await pubsubAdmin()}/faults`)).status).toBe(200);
});

test('fake-gcs-server is there for a test, once, and its clients need nothing else', async () => {
  const given = await gcsEndpoint();
  expect(await gcsEndpoint()).toBe(process.env['CATCHMENT_TEST_GCS'] ?? given);
  expect(await new Storage({ apiEndpoint: given }).getBuckets()).toBeDefined();
});
