import { pubsub } from '../../src/index.js';

const { GCLOUD_PROJECT, GOOGLE_CLOUD_PROJECT } = process.env;

afterEach(() => {
  delete process.env['GOOGLE_CLOUD_PROJECT'];
  Object.assign(process.env, {
    ...(GCLOUD_PROJECT !== undefined && { GCLOUD_PROJECT }),
    ...(GOOGLE_CLOUD_PROJECT !== undefined && { GOOGLE_CLOUD_PROJECT }),
  });
});

test('a name without its project is the same as that name with it, where the environment says the project', () => {
  delete process.env['GCLOUD_PROJECT'];
  process.env['GOOGLE_CLOUD_PROJECT'] = 'my-project';
  const full = { topic: 'projects/my-project/topics/events', subscription: 'projects/my-project/subscriptions/mine' };

  expect(pubsub({ topic: 'events', subscription: 'mine' }).addresses).toEqual(pubsub(full).addresses);
});
