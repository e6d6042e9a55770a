import type { LifecycleRule } from '@aws-sdk/client-s3';

import type { Provisioned } from '../../src/providers/provision.js';
import type { Finding } from '../../src/providers/queue.js';
import { S3Lake } from '../../src/providers/aws/s3.js';
import { all } from '../contract/objects.js';
import { s3Endpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { s3Error, said } from '../standins/faults/aws-errors.js';
import type { Fault } from '../standins/faults/fault.js';
import { answer, withoutHeaders } from '../standins/faults/generic.js';
import { bucketAt, newLake, removeBuckets } from './s3-lakes.js';

let proxy: FaultProxy;
beforeEach(async () => {
  proxy = await FaultProxy.start({ target: await s3Endpoint() });
});
afterEach(() => proxy.close());

const levels = (findings: readonly Finding[]): string[] => findings.map(({ level }) => level);
const texts = (findings: readonly Finding[]): string =>
  findings.map(({ level, what, remedy = '' }) => `${level}: ${what}; ${remedy}`).join('\n');

describe('check', () => {
  afterAll(removeBuckets);

  test('finds a provisioned bucket good', async () => {
    const { lake } = await newLake(proxy.endpoint, { prefix: 'app/' });
    await lake.provision('apply');
    expect(levels(await lake.check())).toEqual(['ok', 'ok']);
  });

  test('finds out that a store ignores If-None-Match, and leaves nothing behind', async () => {
    const { lake } = await newLake(proxy.endpoint);
    proxy.rule({ when: { method: 'PUT' }, fault: withoutHeaders(/^if-none-match$/) });
    const findings = await lake.check();
    expect(levels(findings)).toEqual(['error']);
    expect(texts(findings)).toContain('ignores If-None-Match');
    expect(await all(lake.list(''))).toEqual([]);
  });

  test.each([
    ['PUT', 's3:PutObject'],
    ['HEAD', 's3:GetObject'],
    ['GET', 's3:ListBucket'],
    ['POST', 's3:DeleteObject'],
  ])('names what is not allowed of %s', async (refused, permission) => {
    const { lake } = await newLake(proxy.endpoint);
    proxy.rule({ when: { method: refused }, fault: s3Error(403, 'AccessDenied') });
    const findings = await lake.check();
    expect(levels(findings)).toContain('error');
    expect(texts(findings)).toContain(permission);
    expect(texts(findings)).not.toContain(said);
  });

  test('finds an encryption that is not as asked', async () => {
    const { lake } = await newLake(proxy.endpoint, { encryption: 's3' });
    await lake.provision('apply');
    expect(levels(await lake.check())).toEqual(['ok', 'ok']);
    // SeaweedFS has no KMS, and refuses to write with it.
    proxy.rule({ fault: withoutHeaders(/server-side-encryption/) });
    const { lake: other } = await newLake(proxy.endpoint, { encryption: { kmsKeyId: 'a-key' } });
    const findings = await other.check();
    expect(levels(findings)).toEqual(['error']);
    expect(texts(findings)).toMatch(/asked for SSE-KMS, a-key, the store encrypts by nothing/);
  });

  const rule = (Prefix: string, action: Partial<LifecycleRule>): LifecycleRule => ({
    ID: `test ${Prefix}`,
    Status: 'Enabled',
    Filter: { Prefix },
    ...action,
  });

  test.each([
    ['deletes events', 'error', rule('', { Expiration: { Days: 30 } }), /error: .*deletes events under app\/raw\//],
    ['deletes some events', 'error', rule('app/raw/web/', { Expiration: { Days: 30 } }), /deletes events/],
    ['deletes others', 'warning', rule('web/raw/', { Expiration: { Days: 30 } }), /^ok[^]*no rule.*app\/load\//],
    [
      'is switched off',
      'warning',
      { ...rule('', { Expiration: { Days: 30 } }), Status: 'Disabled' as const },
      /no rule/,
    ],
  ])('where a rule of the bucket %s: %s', async (_, worst, given, expected) => {
    const { lake, bucket, client } = await newLake(proxy.endpoint, { prefix: 'app/' });
    await client.putBucketLifecycleConfiguration({
      Bucket: bucket.name,
      LifecycleConfiguration: { Rules: [given] },
    });
    const findings = await lake.check();
    expect(texts(findings)).toMatch(expected);
    expect(levels(findings).includes('error')).toBe(worst === 'error');
  });

  test('warns of old versions that are kept for ever', async () => {
    const { lake, bucket, client } = await newLake(proxy.endpoint);
    await client.putBucketVersioning({ Bucket: bucket.name, VersioningConfiguration: { Status: 'Enabled' } });
    expect(texts(await lake.check())).toContain('keeps old versions for ever');
    await lake.provision('apply');
    expect(levels(await lake.check())).toEqual(['ok', 'ok']);
  });

  test('does not mind what a store does not know', async () => {
    const { lake } = await newLake(proxy.endpoint);
    const isNew = (query: URLSearchParams): boolean => query.has('lifecycle') || query.has('versioning');
    proxy.rule({ when: { is: ({ query }) => isNew(query) }, fault: s3Error(501, 'NotImplemented') });
    expect(levels(await lake.check())).toEqual(['ok']);
  });
});

describe('provision', () => {
  afterAll(removeBuckets);

  test('plans without a change, makes what it planned, and finds nothing to do the second time', async () => {
    const lake = new S3Lake(bucketAt(proxy.endpoint, { prefix: 'app/', encryption: 's3' }));
    const plan = await lake.provision('plan');
    expect(plan.map(({ what }) => what.replace(/catchment-[0-9a-f-]+/, 'NAME'))).toEqual([
      'make the bucket NAME in us-east-1',
      'block public access to NAME',
      'encrypt NAME with SSE-S3',
      'expire load files under app/load/ after 7 days',
      'remove non-current versions under app/ after 30 days',
      'abort incomplete multipart uploads under app/ after 7 days',
    ]);
    expect(await lake.provision('plan')).toEqual(plan);
    const done = await lake.provision('apply');
    // A new bucket may have these by itself, as on AWS, and SeaweedFS knows no block: then they are not done.
    const isSure = ({ what }: Provisioned): boolean => !/^(block|encrypt)/.test(what);
    expect(done.filter(isSure)).toEqual(plan.filter(isSure));
    expect(await lake.provision('plan')).toEqual([]);
    expect(await lake.provision('apply')).toEqual([]);
  });

  test("keeps a bucket's other rules as they are, another pipeline's included", async () => {
    const { lake, bucket, client } = await newLake(proxy.endpoint, { prefix: 'app/' });
    const theirs: LifecycleRule = {
      ID: 'theirs',
      Status: 'Enabled',
      Filter: { Prefix: 'x/' },
      Expiration: { Days: 3 },
    };
    await client.putBucketLifecycleConfiguration({
      Bucket: bucket.name,
      LifecycleConfiguration: { Rules: [theirs] },
    });
    await lake.provision('apply');
    await new S3Lake(bucketAt(proxy.endpoint, { bucket: bucket.name, prefix: 'web/' })).provision('apply');
    const { Rules = [] } = await client.getBucketLifecycleConfiguration({ Bucket: bucket.name });
    expect(Rules.find(({ ID }) => ID === 'theirs')).toMatchObject(theirs);
    expect(Rules.map(({ ID }) => ID).toSorted()).toEqual([
      'catchment-load:app/',
      'catchment-load:web/',
      'catchment-noncurrent:app/',
      'catchment-noncurrent:web/',
      'catchment-uploads:app/',
      'catchment-uploads:web/',
      'theirs',
    ]);
  });

  test('names the region where it makes a bucket, and a name that is taken', async () => {
    const bodies: string[] = [];
    const lake = new S3Lake(bucketAt(proxy.endpoint, { region: 'eu-west-1' }));
    const note: Fault = {
      name: 'note',
      async run(call, { next }) {
        bodies.push(String(await call.body()));
        return next();
      },
    };
    proxy.rule({ when: { method: 'HEAD' }, fault: answer(404) });
    proxy.rule({ when: { method: 'PUT' }, fault: note });
    proxy.rule({ fault: s3Error(409, 'BucketAlreadyExists') });
    expect((await lake.provision('plan'))[0]).toMatchObject({
      what: expect.stringContaining('in eu-west-1') as string,
    });
    await expect(lake.provision('apply')).rejects.toThrow("is another account's");
    expect(bodies[0]).toContain('<LocationConstraint>eu-west-1</LocationConstraint>');
  });

  test('says what it may not do', async () => {
    const lake = new S3Lake(bucketAt(proxy.endpoint));
    proxy.rule({ when: { method: 'HEAD' }, fault: answer(404) });
    proxy.rule({ fault: s3Error(403, 'AccessDenied') });
    await expect(lake.provision('apply')).rejects.toThrow('allow s3:CreateBucket');
  });
});
