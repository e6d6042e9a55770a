import { until } from '../until.js';
import { pubsubAdmin, pubsubEndpoint } from './gcp.js';
import { bodiesOf, PubsubPlace } from './pubsub-place.js';
import { TcpProxy } from './tcp-proxy.js';

const unreached = (error: { code: number }): false => {
  expect(error.code).toBe(14);
  return false;
};

test('a client of Pub/Sub behind it meets a service that is away, silent, and back', async () => {
  const proxy = await TcpProxy.start(await pubsubEndpoint());
  const place = await PubsubPlace.make(proxy.endpoint, await pubsubAdmin());
  try {
    await place.publish('a');
    const waiting = place.look().then(async () => place.pull());
    await until('the first look', async () => (await place.faults.subscription.seen('Pull')) === 1);
    proxy.cut();
    await expect(waiting).rejects.toMatchObject({ code: 14 });
    await expect(place.publish('b')).rejects.toMatchObject({ code: 14 });
    proxy.open();
    await until('it to be reached again', () => place.publish('c').catch(unreached));
    proxy.halfOpen();
    const request = { topic: place.topic, messages: [{ data: Buffer.from('d') }] };
    await expect(place.publisher.publish(request, { retry: null, timeout: 500 })).rejects.toMatchObject({ code: 4 });
    proxy.open();
    await until('it to be reached again', () => place.publish('e').catch(unreached));
    const later = await until('an answer to a pull', () => place.pull().catch(unreached));
    expect(bodiesOf(later)).toEqual(['c', 'e']);
  } finally {
    await place.close();
    await proxy.close();
  }
});
