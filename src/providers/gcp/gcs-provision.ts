import type { BucketMetadata } from '@google-cloud/storage';

import { ConfigError, Unavailable } from '../../errors.js';
import type { Provisioned } from '../provision.js';
import type { Bucket } from './gcs-bucket.js';
import { ErrorAnswer } from './gcs-http.js';
import { isMet, ruleOf, rulesOf, wantedRules } from './gcs-lifecycle.js';
import { metadataOf } from './gcs-metadata.js';

/** One thing that is wanted of the bucket. */
interface Wish {
  readonly what: string;
  readonly isMet: (bucket: BucketMetadata) => boolean;
  /** What makes it so, of a bucket as it is. */
  readonly change: (bucket: BucketMetadata) => BucketMetadata;
}

const tries = 3;

/**
 * Makes the bucket and what a lake wants of it: no public access, a key, a lifecycle. What is as good stays as it is: rules of
 * others that do the same.
 */
export async function provisionBucket(bucket: Bucket, how: 'plan' | 'apply'): Promise<readonly Provisioned[]> {
  const wishes = wishesOf(bucket);
  for (let attempt = 1; ; attempt++) {
    const found = await existing(bucket);
    if (found === undefined) {
      const settings = newBucket(bucket);
      const done = [
        { what: `make the bucket ${bucket.name} in ${settings.location ?? ''}` },
        ...wishes.map(({ what }) => ({ what })),
      ];
      if (how === 'plan') return done;
      const made = await make(bucket, settings, changed(settings, wishes));
      if (made !== undefined) return [done[0]!, ...granted(wishes, made)];
      // Another made it meanwhile: what it still lacks is seen in the next round.
    } else {
      const missing = wishes.filter((wish) => !wish.isMet(found));
      if (missing.length === 0) return [];
      if (how === 'plan') return missing.map(({ what }) => ({ what }));
      const patched = await patch(bucket, found, changed(found, missing));
      if (patched !== undefined) return granted(missing, patched);
    }
    if (attempt === tries)
      throw new Unavailable(`changing the bucket ${bucket.name}: others change it at the same time; try again`);
  }
}

/** What a store does not know cannot be wanted of it, and is not said to be done. */
function granted(wishes: readonly Wish[], now: BucketMetadata): Provisioned[] {
  return wishes.filter((wish) => wish.isMet(now)).map(({ what }) => ({ what }));
}

/** Each change is made of what the ones before it left. */
function changed(from: BucketMetadata, wishes: readonly Wish[]): BucketMetadata {
  return wishes.reduce<BucketMetadata>(
    (changes, wish) => ({ ...changes, ...wish.change({ ...from, ...changes }) }),
    {},
  );
}

function wishesOf(bucket: Bucket): Wish[] {
  const { kmsKeyName } = bucket.settings;
  return [
    {
      what: `prevent public access to ${bucket.name}`,
      isMet: ({ iamConfiguration }) => iamConfiguration?.publicAccessPrevention === 'enforced',
      change: () => ({ iamConfiguration: { publicAccessPrevention: 'enforced' } }),
    },
    ...(kmsKeyName === undefined
      ? []
      : [
          {
            what: `encrypt ${bucket.name} with the key ${kmsKeyName}`,
            isMet: ({ encryption }: BucketMetadata) => encryption?.defaultKmsKeyName === kmsKeyName,
            change: () => ({ encryption: { defaultKmsKeyName: kmsKeyName } }),
          },
        ]),
    ...Object.values(wantedRules(bucket)).map((wanted) => ({
      what: wanted.what,
      isMet: (found: BucketMetadata) => isMet(rulesOf(found), wanted),
      change: (found: BucketMetadata) => ({ lifecycle: { rule: [...rulesOf(found), ruleOf(wanted)] } }),
    })),
  ];
}

async function existing(bucket: Bucket): Promise<BucketMetadata | undefined> {
  try {
    return (await bucket.calls.json({ method: 'GET', path: bucket.path })) as BucketMetadata;
  } catch (error) {
    if (error instanceof ErrorAnswer && error.code === 404) return undefined;
    const what = `looking for the bucket ${bucket.name}, which may be another project's`;
    throw bucket.failure(error, what, 'storage.buckets.get');
  }
}

/** Where it is may be a matter of law, and to move it takes long, so it is nothing to guess. Throws `ConfigError`. */
function newBucket({ name, settings }: Bucket): BucketMetadata {
  const { location, storageClass = 'STANDARD' } = settings;
  if (location === undefined)
    throw new ConfigError(
      `the bucket ${name} is not there, and no location is known to make it in: add one to the config, location: 'europe-west1'`,
      { path: 'location' },
    );
  const uniformBucketLevelAccess = { enabled: true };
  return { name, location, storageClass, iamConfiguration: { uniformBucketLevelAccess } };
}

/** undefined: it is there by now. */
async function make(
  bucket: Bucket,
  settings: BucketMetadata,
  changes: BucketMetadata,
): Promise<BucketMetadata | undefined> {
  const iamConfiguration = { ...settings.iamConfiguration, ...changes.iamConfiguration };
  const whole = { ...settings, ...changes, iamConfiguration };
  const doing = `making the bucket ${bucket.name}`;
  try {
    const query = { project: await projectOf(bucket) };
    const body = ['application/json', Buffer.from(JSON.stringify(whole))] as const;
    return (await bucket.calls.json({
      method: 'POST',
      path: '/storage/v1/b',
      query,
      body: [...body],
    })) as BucketMetadata;
  } catch (error) {
    if (!(error instanceof ErrorAnswer) || error.code !== 409)
      throw bucket.failure(error, doing, 'storage.buckets.create');
  }
  try {
    await metadataOf(bucket);
    return undefined;
  } catch {
    throw new Unavailable(
      `${doing}: the name is another project's, or was until just now: names are unique in all of Google Cloud; choose another`,
    );
  }
}

/** undefined: it was changed since it was looked at. */
async function patch(
  bucket: Bucket,
  found: BucketMetadata,
  changes: BucketMetadata,
): Promise<BucketMetadata | undefined> {
  // Else the answer would hold the bucket's access rules, which another permission is needed for.
  const query = { ifMetagenerationMatch: found.metageneration, projection: 'noAcl' };
  const body = ['application/json', Buffer.from(JSON.stringify(changes))] as const;
  try {
    return (await bucket.calls.json({ method: 'PATCH', path: bucket.path, query, body: [...body] })) as BucketMetadata;
  } catch (error) {
    if (error instanceof ErrorAnswer && error.code === 412) return undefined;
    const permission =
      changes.iamConfiguration === undefined
        ? 'storage.buckets.update'
        : 'storage.buckets.update and storage.buckets.setIamPolicy';
    throw bucket.failure(error, `changing the bucket ${bucket.name}`, permission);
  }
}

/** Where no credentials are asked for, any will do: a stand-in has none. */
async function projectOf({ settings, credentials }: Bucket): Promise<string> {
  const named = settings.projectId ?? process.env['GOOGLE_CLOUD_PROJECT'];
  return named ?? (await credentials?.projectId()) ?? 'catchment';
}
