import { inspect } from 'node:util';

import type { Message, Outcome } from '../../src/providers/queue.js';
import { many, text } from '../contract/queue-harness.js';
import { bodiesOf } from '../standins/pubsub-place.js';
import { newPlace, openQueue, receiveAll, runsOf } from './pubsub-queues.js';

const grouped = (body: string, group: string): Message => ({ ...text(body), group });
const errorOf = (outcome: Outcome | undefined): Error => (outcome as { error: Error }).error;

test('what the client sends again after a lost answer is two messages, of one id', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  const lost = await place.faults.topic.rule({ method: 'Publish', code: 'UNAVAILABLE', after: true, times: 1 });
  expect(runsOf(await queue.send([text('a')]))).toBe('1 done');
  expect(await lost.happened()).toBe(1);
  const [one, two, ...others] = await receiveAll(queue, 2);
  expect(others).toEqual([]);
  expect(one!.receipt).not.toBe(two!.receipt);
  expect(one!.id).toBe(two!.id);
});

test.each(['DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'UNAVAILABLE'] as const)(
  'what %s says nothing for good of is sent again by the client',
  async (code) => {
    const place = await newPlace();
    const queue = await openQueue(place);
    const failed = await place.faults.topic.rule({ method: 'Publish', code, times: 1 });
    expect(runsOf(await queue.send([text('a')]))).toBe('1 done');
    expect(await failed.happened()).toBe(1);
  },
);

test('while the service is away each outcome is a failure to try again, after a while', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  await place.faults.topic.rule({ method: 'Publish', code: 'UNAVAILABLE' });
  const began = performance.now();
  const outcomes = await queue.send([text('a'), grouped('b', 'tenant'), text('c')]);
  expect(runsOf(outcomes)).toBe('3 again');
  expect(errorOf(outcomes[0])).toMatchObject({
    name: 'Unavailable',
    message: expect.stringMatching(/no answer: look/) as string,
  });
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(await place.faults.topic.seen('Publish', 'UNAVAILABLE')).toBeGreaterThan(5);
}, 120_000);

test.each([
  ['PERMISSION_DENIED', /PERMISSION_DENIED; allow pubsub\.topics\.publish to who runs this/],
  ['NOT_FOUND', /NOT_FOUND; make it with catchment provision/],
  ['UNAUTHENTICATED', /UNAUTHENTICATED; the credentials are not taken/],
] as const)('%s is Unavailable, says what to do, and nothing that the service said', async (code, remedy) => {
  const place = await newPlace();
  const queue = await openQueue(place);
  await place.faults.topic.rule({ method: 'Publish', code, quote: true });
  const outcomes = await queue.send([{ body: Buffer.from('HIDDEN'), attributes: { kind: 'HIDDEN' } }]);
  expect(runsOf(outcomes)).toBe('1 again');
  expect(errorOf(outcomes[0])).toMatchObject({ name: 'Unavailable', message: expect.stringMatching(remedy) as string });
  expect(errorOf(outcomes[0]).message).toContain(place.topic);
  expect(inspect(outcomes, { depth: null })).not.toContain('HIDDEN');
});

test('of many messages that alone is refused for good which the service does not take', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  const messages = many(50);
  messages[17] = grouped('too long a group', 'g'.repeat(1_025));
  messages[18] = grouped('long enough a group', 'g'.repeat(1_024));
  const outcomes = await queue.send(messages);
  expect(runsOf(outcomes)).toBe('17 done, 1 refused, 32 done');
  expect(errorOf(outcomes[17]).message).toMatch(/INVALID_ARGUMENT.*group is longer than 1,024 bytes/);
  expect((await place.faults.subscription.stats(place.subscription)).waiting).toBe(49);
});

test('many messages, and large ones, go in as few requests as take them', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  expect(runsOf(await queue.send(many(2_500)))).toBe('2500 done');
  expect(await place.faults.topic.seen('Publish')).toBe(3);
  const large = Array.from({ length: 30 }, () => ({ body: Buffer.alloc(1_000_000, 'a'), attributes: {} }));
  expect(runsOf(await queue.send(large))).toBe('30 done');
  expect(await place.faults.topic.seen('Publish')).toBe(3 + 4);
  expect(await place.faults.topic.seen('Publish', 'OK')).toBe(3 + 4);
  expect((await place.faults.subscription.stats(place.subscription)).waiting).toBe(2_530);
});

test('what is too large for any request is refused without one, and the others go', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  const outcomes = await queue.send([text('a'), { body: Buffer.alloc(10_000_001), attributes: {} }, text('b')]);
  expect(runsOf(outcomes)).toBe('1 done, 1 refused, 1 done');
  expect(await place.faults.topic.seen('Publish')).toBe(1);
});

test('close comes after the sends that were under way, and after their outcomes', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  await place.faults.topic.rule({ method: 'Publish', delayMs: 500 });
  const order: string[] = [];
  const sending = [text('a'), text('b')].map(async (message) => {
    const outcomes = await queue.send([message]);
    order.push(runsOf(outcomes));
  });
  await queue.close();
  order.push('closed');
  await Promise.all(sending);
  expect(order).toEqual(['1 done', '1 done', 'closed']);
});

describe('of a group', () => {
  const ordered = { ackDeadlineSeconds: 600, enableMessageOrdering: true };

  test('the order is kept over several requests, also where the first takes longest', async () => {
    const place = await newPlace(ordered);
    const queue = await openQueue(place, { ordered: true });
    const messages = Array.from({ length: 2_500 }, (_, index) => grouped(`${index}`, 'tenant'));
    await place.faults.topic.rule({ method: 'Publish', delayMs: 300, nth: 1 });
    expect(runsOf(await queue.send(messages))).toBe('2500 done');
    const got: string[] = [];
    while (got.length < 2_500) {
      const received = await place.look();
      got.push(...bodiesOf(received));
      await place.acknowledge(received);
    }
    expect(got).toEqual(messages.map((_, index) => `${index}`));
  });

  test('nothing is sent behind what failed; other groups are', async () => {
    const place = await newPlace(ordered);
    const queue = await openQueue(place, { ordered: true });
    const groups: string[] = [...Array<string>(2_250).fill('one'), ...Array<string>(250).fill('other')];
    await place.faults.topic.rule({ method: 'Publish', code: 'PERMISSION_DENIED', nth: 2 });
    const outcomes = await queue.send(groups.map((group, index) => grouped(`${index}`, group)));
    expect(runsOf(outcomes)).toBe('1000 done, 1250 again, 250 done');
    expect(errorOf(outcomes[1_999]).message).toContain('PERMISSION_DENIED');
    expect(errorOf(outcomes[2_000]).message).toContain('same group');
    expect((await place.faults.subscription.stats(place.subscription)).waiting).toBe(1_250);
  });

  test('nothing is asked for where all is behind what failed, also where others have no group', async () => {
    const place = await newPlace(ordered);
    const queue = await openQueue(place, { ordered: true });
    await place.faults.topic.rule({ method: 'Publish', code: 'PERMISSION_DENIED', nth: 2 });
    const outcomes = await queue.send([text('alone'), ...many(3_499).map((message) => ({ ...message, group: 'one' }))]);
    expect(runsOf(outcomes)).toBe('1000 done, 2500 again');
    expect(await place.faults.topic.seen('Publish')).toBe(2);
    expect((await place.faults.subscription.stats(place.subscription)).waiting).toBe(1_000);
  });

  test('nothing is sent behind what failed while it was sought whom the service refuses', async () => {
    const place = await newPlace(ordered);
    const queue = await openQueue(place, { ordered: true });
    await place.faults.topic.rule({ method: 'Publish', code: 'PERMISSION_DENIED', nth: 2 });
    const outcomes = await queue.send([
      grouped('0', 'one'),
      grouped('1', 'two'),
      grouped('2', 'one'),
      grouped('3', 'g'.repeat(1_025)),
      grouped('4', 'one'),
      grouped('5', 'three'),
    ]);
    expect(runsOf(outcomes)).toBe('3 again, 1 refused, 1 again, 1 done');
    expect(bodiesOf(await place.look())).toEqual(['5']);
  });

  test('what is refused for good holds up nothing behind it', async () => {
    const place = await newPlace(ordered);
    const queue = await openQueue(place, { ordered: true });
    const group = 'g'.repeat(1_025);
    const outcomes = await queue.send([...many(999), grouped('a', group), grouped('b', group), text('c')]);
    expect(runsOf(outcomes)).toBe('999 done, 2 refused, 1 done');
  });
});
