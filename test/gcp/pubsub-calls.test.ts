import { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';

const subscription = 'projects/stand-in/subscriptions/calls';
let calls: PubsubCalls;
/** What the client was asked for a pull, and how it answers. */
let asked: unknown[][];
let answer: () => Promise<unknown>;

beforeEach(async () => {
  asked = [];
  answer = () => Promise.resolve([{ receivedMessages: [] }]);
  // Nobody listens there.
  const service = { endpoint: 'http://127.0.0.1:1', projectId: 'stand-in' };
  calls = new PubsubCalls(
    { topic: 'calls', subscription: 'calls', ordered: false, exactlyOnce: false, ...service },
    'a',
  );
  const { subscriber } = await calls.connection('pulling');
  const pull = (...given: unknown[]): unknown => {
    asked.push(given);
    return Object.assign(answer(), { cancel: () => undefined });
  };
  Object.assign(subscriber.innerApiCalls, { pull });
});
afterEach(() => calls.close());

const failing = (code: number) => (): Promise<never> => Promise.reject(Object.assign(new Error('HIDDEN'), { code }));

test('a pull is one request, which finds its way as those of the client itself', async () => {
  answer = () => Promise.resolve([{ receivedMessages: [{ ackId: 'a' }] }]);
  expect(await (await calls.pull(10, 60_000)).answer).toEqual([{ ackId: 'a' }]);
  const headers = { 'x-goog-request-params': `subscription=${encodeURIComponent(subscription)}` };
  expect(asked).toEqual([
    [
      { subscription, maxMessages: 10 },
      { timeout: 60_000, retry: null, otherArgs: { headers } },
    ],
  ]);
});

test.each([
  ['that was cancelled', failing(1)],
  ['whose time is over', failing(4)],
  ['that is answered with nothing', () => Promise.resolve([{}])],
])('a pull %s brings nothing', async (_, answers) => {
  answer = answers;
  expect(await (await calls.pull(10, 60_000)).answer).toEqual([]);
});

test('a pull that fails says what to do, and nothing that the service said', async () => {
  answer = failing(7);
  await expect((await calls.pull(10, 60_000)).answer).rejects.toMatchObject({
    name: 'Unavailable',
    message: `receiving from ${subscription}: PERMISSION_DENIED; allow pubsub.subscriptions.consume to who runs this`,
  });
});
