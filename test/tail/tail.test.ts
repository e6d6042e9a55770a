import type { Envelope } from '../../src/envelope.js';
import { ConfigError, LakeKeyRefused, Unavailable } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import { LakeFollower } from '../../src/tail/lake-follower.js';
import { matcher } from '../../src/tail/match.js';
import { tail, type TailOptions } from '../../src/tail/tail.js';
import { encodeEnvelope } from '../envelope-line.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { objectOf } from '../transform-objects.js';
import { until } from '../until.js';
import { storedObject, type StoredEvent } from '../stored-object.js';

let lake: ObjectLake;
let stop: AbortController;
let shown: string[];
let unreadable: string[];
let unavailable: number;
let following: number;
beforeEach(() => {
  lake = new ObjectLake();
  stop = new AbortController();
  [shown, unreadable, unavailable, following] = [[], [], 0, 0];
});

afterEach(() => stop.abort());

async function store(events: readonly StoredEvent[], source = 'app'): Promise<string> {
  const { key, body } = await storedObject(events, source);
  await lake.put(key, body);
  return key;
}

function start(more: Partial<TailOptions> = {}, sources = ['app']): Promise<void> {
  return tail(lake, new LakeFollower(lake, sources, Date.now() - 60_000), {
    everyMs: 5,
    matches: () => true,
    signal: stop.signal,
    show: ({ body }: Envelope) => Promise.resolve(void shown.push(body)),
    onFollowing: () => following++,
    onUnavailable: () => unavailable++,
    onUnreadable: (key, why) => void unreadable.push(`${key} ${why}`),
    ...more,
  });
}

const bodies = (...texts: string[]): StoredEvent[] => texts.map((body) => ({ body }));

test('events come in order, those of later objects as they come, until it is stopped', async () => {
  await store(bodies('1', '2'));
  const ended = start();
  await until('both', () => shown.length === 2);
  await until('following', () => following === 1);
  await store(bodies('3'));
  await until('the third', () => shown.length === 3);
  stop.abort();
  await ended;
  expect(shown).toEqual(['1', '2', '3']);
  expect(following).toBe(1);
});

test('a limit ends it in the middle of an object', async () => {
  await store(bodies('1', '2'));
  await store(bodies('3', '4', '5'));
  await start({ limit: 4 });
  expect(shown).toEqual(['1', '2', '3', '4']);
});

test('what matches is a part of the body, as it was sent, or of an attribute’s value', async () => {
  await store([
    { body: '{"user":"ada"}' },
    { body: Buffer.from('\ufeffada'), id: 'with a BOM' },
    { body: '', attributes: { user: 'not ada' } },
    { body: '', attributes: { ada: 'name only' } },
    { body: 'Ada', id: 'ada' },
    { body: 'the last: ada' },
  ]);
  await start({ matches: matcher('ada'), limit: 4 });
  expect(shown).toEqual(['{"user":"ada"}', Buffer.from('\ufeffada').toString('base64'), '', 'the last: ada']);
});

test('an object that cannot be read is named, and the others are shown', async () => {
  const corrupt = await store(bodies('lost'));
  lake.objects.set(corrupt, { ...lake.objects.get(corrupt)!, body: Buffer.from('nonsense') });
  const gone = await store(bodies('lost too'));
  const refused = await store(bodies('refused'));
  lake.faults.get = (key) => {
    if (key === gone) lake.objects.delete(key);
    return key === refused ? Promise.reject(new LakeKeyRefused(`${key} is a symbolic link`)) : Promise.resolve();
  };
  await store(bodies('kept'));
  await start({ limit: 1 });
  expect(shown).toEqual(['kept']);
  expect(unreadable).toEqual([`${corrupt} corrupt`, `${gone} gone`, `${refused} ${refused} is a symbolic link`]);
}, 20_000);

test('what of an object can be read before its damage is shown once', async () => {
  const batch = newId();
  const good = encodeEnvelope({ id: '1', sentAt: 0, attributes: {}, body: Buffer.from('good') }, 'app', batch);
  const { object, sha256 } = objectOf([good, 'nonsense'], batch);
  const key = objectKey({ source: 'app', batch, events: 2, hash: sha256.slice(0, 32) });
  await lake.put(key, object);
  await store(bodies('kept'));
  await start({ limit: 2 });
  expect(shown).toEqual(['good', 'kept']);
  expect(unreadable).toEqual([`${key} corrupt`]);
}, 20_000);

test('a lake that is down is asked again, and nothing is shown twice or left out', async () => {
  await store(bodies('1'));
  const second = await store(bodies('2', '3'));
  let failures = 3;
  lake.faults.get = (key) =>
    key === second && failures-- > 0 ? Promise.reject(new Unavailable('the lake is down')) : Promise.resolve();
  await start({ limit: 3 });
  expect(shown).toEqual(['1', '2', '3']);
  expect(unavailable).toBe(3);
});

test('what cannot mend by itself ends it', async () => {
  await store(bodies('1'));
  lake.faults.get = () => Promise.reject(new ConfigError('no such bucket'));
  await expect(start()).rejects.toThrow('no such bucket');
});
