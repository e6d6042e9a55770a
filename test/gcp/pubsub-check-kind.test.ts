import type { Subscription } from '../../src/providers/gcp/pubsub-calls.js';
import { checkKind } from '../../src/providers/gcp/pubsub-check-kind.js';

const topic = 'projects/p/topics/t';
const name = 'projects/p/subscriptions/s';
/** As the service describes one that is pulled. */
const pulled: Subscription = {
  name,
  topic,
  pushConfig: { pushEndpoint: '', attributes: {} },
  bigqueryConfig: null,
  cloudStorageConfig: null,
  bigtableConfig: null,
  filter: '',
  messageTransforms: [],
  detached: false,
};

test('nothing is said of a subscription of the topic that is pulled', () => {
  expect(checkKind(pulled, topic)).toEqual([]);
  expect(checkKind({ ...pulled, messageTransforms: [{ disabled: true }] }, topic)).toEqual([]);
});

test.each<[Partial<Subscription>, 'error' | 'warning', string]>([
  [{ topic: '_deleted-topic_' }, 'error', `the topic of ${name} was removed`],
  [{ topic: 'projects/p/topics/other' }, 'error', `${name} is a subscription of projects/p/topics/other`],
  [{ detached: true }, 'error', `${name} was detached from ${topic}: what waited there is gone`],
  [{ pushConfig: { pushEndpoint: 'https://example.com' } }, 'error', 'gives its messages to somebody else'],
  [{ bigqueryConfig: {} }, 'error', 'gives its messages to somebody else'],
  [{ cloudStorageConfig: {} }, 'error', 'gives its messages to somebody else'],
  [{ bigtableConfig: {} }, 'error', 'gives its messages to somebody else'],
  [{ filter: 'attributes:a' }, 'warning', 'has a filter'],
  [{ messageTransforms: [{ javascriptUdf: { code: '' } }] }, 'warning', 'has transforms'],
])('%j is told', (differing, level, what) => {
  expect(checkKind({ ...pulled, ...differing }, topic)).toEqual([
    { level, what: expect.stringContaining(what) as string, remedy: expect.any(String) as string },
  ]);
});
