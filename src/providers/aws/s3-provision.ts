import type {
  BucketLocationConstraint,
  PublicAccessBlockConfiguration,
  ServerSideEncryptionByDefault,
} from '@aws-sdk/client-s3';

import { Unavailable } from '../../errors.js';
import type { Provisioned } from '../provision.js';
import type { Bucket } from './s3-bucket.js';
import { describeEncryption, encryptionOf, isAsAsked } from './s3-encryption.js';
import { isMet, isUnknownCall, lifecycleOf, modern, ruleOf, wantedRules } from './s3-lifecycle.js';
import { sdkError } from './sdk.js';

/** A step that is to be done, or nothing; what the store does not know is not to be done. */
type Step = (bucket: Bucket, isNew: boolean) => Promise<readonly Job[]>;
interface Job {
  /** Each thing that the one call does. */
  readonly what: readonly [string, ...string[]];
  readonly permission: string;
  readonly run: () => Promise<unknown>;
}

/**
 * Makes the bucket and what a lake wants of it: no public access, encryption, a lifecycle. What is as good stays as it is:
 * a stronger encryption, rules of others that do the same.
 */
export async function provisionBucket(bucket: Bucket, how: 'plan' | 'apply'): Promise<readonly Provisioned[]> {
  const done: Provisioned[] = [];
  let isNew = false;
  for (const step of [make, blockPublic, encrypt, setLifecycle] satisfies Step[]) {
    for (const job of await step(bucket, isNew)) {
      if (step === make) isNew = how === 'plan';
      if (how === 'plan' || (await isDone(bucket, job))) done.push(...job.what.map((what) => ({ what })));
    }
  }
  return done;
}

/** false: the store does not know such a thing, and so it cannot be wanted of it. */
async function isDone(bucket: Bucket, { what, permission, run }: Job): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (isUnknownCall(error)) return false;
    throw bucket.failure(error, what[0], permission);
  }
}

async function make(bucket: Bucket): Promise<Job[]> {
  const client = await bucket.client();
  try {
    await client.headBucket({ Bucket: bucket.name });
    return [];
  } catch (error) {
    if (sdkError(error).status !== 404)
      throw bucket.failure(error, `looking for the bucket ${bucket.name}`, 's3:ListBucket');
  }
  const region = await client.config.region().catch((error: unknown) => {
    throw bucket.failure(error, `making the bucket ${bucket.name}`, 's3:CreateBucket');
  });
  const run = async (): Promise<void> => {
    try {
      await client.createBucket({
        Bucket: bucket.name,
        // The one region that must not be named.
        ...(region !== 'us-east-1' && {
          CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
        }),
      });
    } catch (error) {
      const { name } = sdkError(error);
      if (name === 'BucketAlreadyExists')
        throw new Unavailable(
          `the bucket ${bucket.name} is another account's: names are unique in all of AWS; choose another`,
        );
      if (name !== 'BucketAlreadyOwnedByYou') throw error;
    }
  };
  return [{ what: [`make the bucket ${bucket.name} in ${region}`], permission: 's3:CreateBucket', run }];
}

const nothingPublic = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
} satisfies PublicAccessBlockConfiguration;

async function blockPublic(bucket: Bucket, isNew: boolean): Promise<Job[]> {
  const client = await bucket.client();
  const found = await asIs(bucket, isNew, 's3:GetBucketPublicAccessBlock', 'NoSuchPublicAccessBlockConfiguration', () =>
    client.getPublicAccessBlock({ Bucket: bucket.name }),
  );
  if (found === 'unknown') return [];
  const { PublicAccessBlockConfiguration: now = {} } = found ?? {};
  if (Object.keys(nothingPublic).every((name) => now[name as keyof typeof nothingPublic] === true)) return [];
  const run = () => client.putPublicAccessBlock({ Bucket: bucket.name, PublicAccessBlockConfiguration: nothingPublic });
  return [{ what: [`block public access to ${bucket.name}`], permission: 's3:PutBucketPublicAccessBlock', run }];
}

async function encrypt(bucket: Bucket, isNew: boolean): Promise<Job[]> {
  const client = await bucket.client();
  const found = await asIs(
    bucket,
    isNew,
    's3:GetEncryptionConfiguration',
    'ServerSideEncryptionConfigurationNotFoundError',
    () => client.getBucketEncryption({ Bucket: bucket.name }),
  );
  if (found === 'unknown') return [];
  const now = found?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  const { encryption } = bucket.settings;
  if (isAsAsked(encryption, now?.SSEAlgorithm, now?.KMSMasterKeyID)) return [];
  const { ServerSideEncryption, SSEKMSKeyId } = encryptionOf(encryption ?? 's3');
  const byDefault: ServerSideEncryptionByDefault = {
    SSEAlgorithm: ServerSideEncryption,
    ...(SSEKMSKeyId !== undefined && { KMSMasterKeyID: SSEKMSKeyId }),
  };
  const run = () =>
    client.putBucketEncryption({
      Bucket: bucket.name,
      ServerSideEncryptionConfiguration: {
        Rules: [
          { ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: ServerSideEncryption === 'aws:kms' },
        ],
      },
    });
  return [
    {
      what: [`encrypt ${bucket.name} with ${describeEncryption(encryption)}`],
      permission: 's3:PutEncryptionConfiguration',
      run,
    },
  ];
}

async function setLifecycle(bucket: Bucket, isNew: boolean): Promise<Job[]> {
  const client = await bucket.client();
  const found = await asIs(bucket, isNew, 's3:GetLifecycleConfiguration', undefined, () => lifecycleOf(bucket));
  if (found === 'unknown') return [];
  const { rules, smallest } = found ?? { rules: [], smallest: undefined };
  const missing = Object.values(wantedRules(bucket)).filter((wanted) => !isMet(rules, wanted));
  const [first, ...others] = missing;
  if (first === undefined) return [];
  const stay = rules.filter(({ ID }) => missing.every(({ id }) => id !== ID));
  const run = () =>
    client.putBucketLifecycleConfiguration({
      Bucket: bucket.name,
      ...(smallest !== undefined && { TransitionDefaultMinimumObjectSize: smallest }),
      LifecycleConfiguration: { Rules: [...stay.map(modern), ...missing.map(ruleOf)] },
    });
  const what = [first.what, ...others.map((wanted) => wanted.what)] as const;
  return [{ what: [...what], permission: 's3:PutLifecycleConfiguration', run }];
}

/** 'unknown': not in this store; undefined: nothing is set, or the bucket is not there yet. */
async function asIs<Found>(
  bucket: Bucket,
  isNew: boolean,
  permission: string,
  none: string | undefined,
  ask: () => Promise<Found>,
): Promise<Found | 'unknown' | undefined> {
  if (isNew) return undefined;
  try {
    return await ask();
  } catch (error) {
    if (isUnknownCall(error)) return 'unknown';
    if (none !== undefined && sdkError(error).name === none) return undefined;
    throw bucket.failure(error, `looking at the bucket ${bucket.name}`, permission);
  }
}
