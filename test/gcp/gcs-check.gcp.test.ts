import type { BucketMetadata, LifecycleRule } from '@google-cloud/storage';

import { ConfigError } from '../../src/errors.js';
import { Bucket } from '../../src/providers/gcp/gcs-bucket.js';
import { GcsLake } from '../../src/providers/gcp/gcs.js';
import type { Finding } from '../../src/providers/queue.js';
import { all } from '../contract/objects.js';
import { gcsEndpoint } from '../standins/gcp.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { said } from '../standins/faults/aws-errors.js';
import type { Fault } from '../standins/faults/fault.js';
import { bucketAt, errorOf, newLake, on } from './gcs-lakes.js';
import { Settings } from './gcs-settings.js';

let proxy: FaultProxy;
beforeEach(async () => {
  proxy = await FaultProxy.start({ target: await gcsEndpoint() });
});
afterEach(() => proxy.close());

const levels = (findings: readonly Finding[]): string[] => findings.map(({ level }) => level);
const texts = (findings: readonly Finding[]): string =>
  findings.map(({ level, what, remedy = '' }) => `${level}: ${what}; ${remedy}`).join('\n');
const kmsKeyName = 'projects/p/locations/eu/keyRings/r/cryptoKeys/k';

/** Settings with which nothing is wrong, for the prefix `app/`. */
const good: BucketMetadata = {
  iamConfiguration: { publicAccessPrevention: 'enforced' },
  lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 7, matchesPrefix: ['app/load/'] } }] },
};

describe('check', () => {
  /** Of a bucket with these settings. */
  async function checked(settings: BucketMetadata): Promise<readonly Finding[]> {
    const { lake } = await newLake(proxy.endpoint, { prefix: 'app/' });
    proxy.rule({ fault: new Settings(settings).fault });
    return lake.check();
  }
  const withRule = (rule: LifecycleRule): BucketMetadata => ({
    ...good,
    lifecycle: { rule: [...good.lifecycle!.rule!, rule] },
  });

  test('finds a provisioned bucket good', async () => {
    const lake = new GcsLake(bucketAt(proxy.endpoint, { prefix: 'app/' }));
    proxy.rule({ fault: new Settings().fault });
    await lake.provision('apply');
    expect(levels(await lake.check())).toEqual(['ok', 'ok']);
  });

  test('finds out that a store ignores the condition, and leaves nothing behind', async () => {
    const { lake } = await newLake(proxy.endpoint);
    const ignored: Fault = {
      name: 'ignored',
      async run(call, { happened }) {
        happened();
        const url = `${await gcsEndpoint()}${call.path}?${String(call.query).replace('ifGenerationMatch=0', '')}`;
        const headers = { 'content-type': call.headers['content-type']! };
        const body = Uint8Array.from(await call.body());
        const replied = await fetch(url, { method: 'POST', headers, body });
        const bytes = Buffer.from(await replied.arrayBuffer());
        return { status: replied.status, headers: ['content-length', String(bytes.length)], body: bytes };
      },
    };
    proxy.rule({ when: on('put'), fault: ignored });
    const findings = await lake.check();
    expect(levels(findings)).toEqual(['error']);
    expect(texts(findings)).toContain('ignores ifGenerationMatch');
    expect(await all(lake.list(''))).toEqual([]);
  });

  test.each([
    ['put', 'storage.objects.create'],
    ['look', 'storage.objects.get'],
    ['get', 'storage.objects.get'],
    ['list', 'storage.objects.list'],
    ['remove', 'storage.objects.delete'],
  ] as const)('names what is not allowed of %s', async (refused, permission) => {
    const { lake } = await newLake(proxy.endpoint);
    proxy.rule({ when: on(refused), fault: errorOf(403, 'forbidden') });
    const findings = await lake.check();
    expect(levels(findings)).toContain('error');
    expect(texts(findings)).toContain(permission);
    expect(texts(findings)).not.toContain(said);
  });

  test('does not mind settings that it may not look at', async () => {
    const { lake } = await newLake(proxy.endpoint);
    proxy.rule({ when: on('bucket'), fault: errorOf(403, 'forbidden') });
    const findings = await lake.check();
    expect(levels(findings)).toEqual(['ok', 'warning']);
    expect(texts(findings)).toContain('allow storage.buckets.get');
  });

  test('finds an encryption that is not as asked', async () => {
    const { lake } = await newLake(proxy.endpoint, { kmsKeyName });
    // fake-gcs-server has no KMS, and writes all the same.
    expect(texts(await lake.check())).toContain(`error: lake ${lake.uri}: asked for the key ${kmsKeyName}`);
    const encrypted: Fault = {
      name: 'encrypted',
      run: async (call, { next }) => {
        if (call.query.get('fields') !== 'kmsKeyName') return next();
        const body = Buffer.from(JSON.stringify({ kmsKeyName: `${kmsKeyName}/cryptoKeyVersions/1` }));
        return { status: 200, headers: ['content-length', String(body.length)], body };
      },
    };
    proxy.rule({ fault: encrypted });
    expect(levels(await lake.check())[0]).toBe('ok');
  });

  const deleting = (condition: LifecycleRule['condition']): LifecycleRule => ({
    action: { type: 'Delete' },
    condition,
  });
  const storing = (storageClass: string): LifecycleRule => ({
    action: { type: 'SetStorageClass', storageClass },
    condition: { age: 30 },
  });
  const day = 86_400;
  test.each<[string, BucketMetadata, string[], RegExp]>([
    [
      'deletes events',
      withRule(deleting({ age: 30 })),
      ['error'],
      /to delete what begins with '' deletes events under app\/raw\//,
    ],
    [
      'deletes some events',
      withRule(deleting({ age: 30, matchesPrefix: ['app/raw/web/'] })),
      ['error'],
      /deletes events/,
    ],
    ['deletes others', withRule(deleting({ age: 30, matchesPrefix: ['web/'] })), ['ok'], /keep events/],
    ['deletes old versions', withRule(deleting({ numNewerVersions: 3 })), ['ok'], /keep events/],
    ['archives events', withRule(storing('ARCHIVE')), ['warning'], /store as ARCHIVE .* then paid for/],
    ['stores events cheaper', withRule(storing('NEARLINE')), ['ok'], /keep events/],
    [
      'lets no load files go',
      { ...good, lifecycle: {} },
      ['warning'],
      /no rule of the bucket expires load files under app\/load\//,
    ],
    ['keeps old versions', { ...good, versioning: { enabled: true } }, ['warning'], /keeps old versions for ever/],
    [
      'keeps objects for a time',
      { ...good, retentionPolicy: { retentionPeriod: String(30 * day) } },
      ['error'],
      /for 30 days: load files cannot be removed/,
    ],
    ['holds each object', { ...good, defaultEventBasedHold: true }, ['error'], /hold on every new object/],
    [
      'keeps what was removed',
      { ...good, softDeletePolicy: { retentionDurationSeconds: String(7 * day) } },
      ['ok'],
      /paid for, 7 days more/,
    ],
    [
      'may be public',
      { ...good, iamConfiguration: { publicAccessPrevention: 'inherited' } },
      ['warning'],
      /does not prevent public access/,
    ],
    ['makes who asks pay', { ...good, billing: { requesterPays: true } }, ['warning'], /who asks pay/],
  ])('of a bucket that %s', async (_, settings, expected, text) => {
    const findings = await checked(settings);
    expect(levels(findings)).toEqual(['ok', ...expected]);
    expect(texts(findings)).toMatch(text);
  });

  test('tells of the retention policy that keeps its own object', async () => {
    proxy.rule({ when: on('remove'), fault: errorOf(403, 'retentionPolicyNotMet') });
    const findings = await checked({ ...good, retentionPolicy: { retentionPeriod: String(day) } });
    expect(levels(findings)).toEqual(['error', 'error']);
    expect(texts(findings)).toMatch(/retentionPolicyNotMet.*\n.*for a day/);
  });
});

describe('provision', () => {
  test('plans without a change, makes what it planned, and finds nothing to do the second time', async () => {
    const settings = new Settings();
    proxy.rule({ fault: settings.fault });
    const bucket = bucketAt(proxy.endpoint, {
      prefix: 'app/',
      kmsKeyName,
      location: 'europe-west1',
      storageClass: 'NEARLINE',
    });
    const lake = new GcsLake(bucket);
    const plan = await lake.provision('plan');
    expect(plan.map(({ what }) => what.replace(bucket.name, 'NAME'))).toEqual([
      'make the bucket NAME in europe-west1',
      'prevent public access to NAME',
      `encrypt NAME with the key ${kmsKeyName}`,
      'expire load files under app/load/ after 7 days',
      'remove non-current versions under app/ after 30 days',
    ]);
    expect(settings.asked).toEqual([]);
    expect(await lake.provision('apply')).toEqual(plan);
    expect(settings.asked).toMatchObject([
      {
        method: 'POST',
        query: 'project=test',
        body: {
          name: bucket.name,
          location: 'europe-west1',
          storageClass: 'NEARLINE',
          encryption: { defaultKmsKeyName: kmsKeyName },
          iamConfiguration: { publicAccessPrevention: 'enforced', uniformBucketLevelAccess: { enabled: true } },
        },
      },
    ]);
    expect(await lake.provision('plan')).toEqual([]);
    expect(await lake.provision('apply')).toEqual([]);
    expect(settings.asked).toHaveLength(1);
  });

  test("keeps a bucket's other rules and settings, another pipeline's included", async () => {
    const theirs: LifecycleRule = { action: { type: 'Delete' }, condition: { age: 3, matchesPrefix: ['x/'] } };
    const uniformBucketLevelAccess = { enabled: false };
    const settings = new Settings({ lifecycle: { rule: [theirs] }, iamConfiguration: { uniformBucketLevelAccess } });
    proxy.rule({ fault: settings.fault });
    const bucket = bucketAt(proxy.endpoint, { prefix: 'app/' });
    await new GcsLake(bucket).provision('apply');
    await new GcsLake(bucketAt(proxy.endpoint, { bucket: bucket.name, prefix: 'web/' })).provision('apply');
    expect(settings.now).toMatchObject({
      iamConfiguration: { publicAccessPrevention: 'enforced', uniformBucketLevelAccess },
    });
    expect(settings.now?.lifecycle?.rule?.map(({ condition }) => condition.matchesPrefix)).toEqual(
      ['x/', 'app/load/', 'app/', 'web/load/', 'web/'].map((prefix) => [prefix]),
    );
    expect(settings.now?.lifecycle?.rule?.[0]).toEqual(theirs);
    const since = (generation: number): string => `ifMetagenerationMatch=${generation}&projection=noAcl`;
    expect(settings.asked.map(({ query }) => query)).toEqual([since(1), since(2)]);
  });

  test('loses no rule that another makes at the same time, and does not try for ever', async () => {
    const settings = new Settings({});
    const theirs: LifecycleRule = { action: { type: 'Delete' }, condition: { age: 3, matchesPrefix: ['x/'] } };
    const meddle: Fault = {
      name: 'meddle',
      run(call, { next, happened }) {
        if (call.method !== 'PATCH') return next();
        happened();
        settings.change({ lifecycle: { rule: [theirs] } });
        return next();
      },
    };
    const once = proxy.rule({ times: 2, fault: meddle });
    proxy.rule({ fault: settings.fault });
    const lake = new GcsLake(bucketAt(proxy.endpoint, { prefix: 'app/' }));
    await lake.provision('apply');
    expect(once.happened).toBe(1);
    expect(settings.now?.lifecycle?.rule).toHaveLength(3);
    expect(settings.now?.lifecycle?.rule?.[0]).toEqual(theirs);
    once.remove();
    settings.now = { metageneration: '1' };
    proxy.clear();
    proxy.rule({ fault: meddle });
    proxy.rule({ fault: settings.fault });
    await expect(lake.provision('apply')).rejects.toThrow('others change it');
  });

  test('says nothing done that the store does not know', async () => {
    proxy.rule({ fault: new Settings({}, ['lifecycle']).fault });
    const lake = new GcsLake(bucketAt(proxy.endpoint));
    expect((await lake.provision('apply')).map(({ what }) => what.split(' ')[0])).toEqual(['prevent']);
  });

  test('makes no bucket where no location is known', async () => {
    const { location: _, ...settings } = bucketAt(proxy.endpoint).settings;
    const lake = new GcsLake(new Bucket(settings));
    for (const how of ['plan', 'apply'] as const) {
      await expect(lake.provision(how)).rejects.toThrow("location: 'europe-west1'");
      await expect(lake.provision(how)).rejects.toBeInstanceOf(ConfigError);
    }
    proxy.rule({ fault: new Settings(good).fault });
    expect(await lake.provision('plan')).toHaveLength(2);
  });

  test("says that a name is another project's, and takes a bucket that was just made", async () => {
    const settings = new Settings();
    proxy.rule({ when: { method: 'POST' }, times: 1, fault: errorOf(409, 'conflict') });
    proxy.rule({ fault: settings.fault });
    await expect(new GcsLake(bucketAt(proxy.endpoint)).provision('apply')).rejects.toThrow("is another project's");
    proxy.clear();
    const conflict = errorOf(409, 'conflict');
    const justMade: Fault = {
      name: 'justMade',
      run(call, around) {
        settings.now = { metageneration: '1' };
        return conflict.run(call, around);
      },
    };
    proxy.rule({ when: { method: 'POST' }, fault: justMade });
    proxy.rule({ fault: settings.fault });
    const done = await new GcsLake(bucketAt(proxy.endpoint)).provision('apply');
    expect(done.map(({ what }) => what.split(' ')[0])).toEqual(['prevent', 'expire', 'remove']);
  });

  test.each([
    ['GET', 'allow storage.buckets.get'],
    ['POST', 'allow storage.buckets.create'],
  ])('says what it may not do: %s', async (method, expected) => {
    proxy.rule({ when: { method }, fault: errorOf(403, 'forbidden') });
    await expect(new GcsLake(bucketAt(proxy.endpoint)).provision('apply')).rejects.toThrow(expected);
    proxy.clear();
    proxy.rule({ when: { method: 'PATCH' }, fault: errorOf(403, 'forbidden') });
    proxy.rule({ fault: new Settings({}).fault });
    await expect(new GcsLake(bucketAt(proxy.endpoint)).provision('apply')).rejects.toThrow(
      'allow storage.buckets.update',
    );
  });
});
