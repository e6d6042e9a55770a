import type { BucketMetadata } from '@google-cloud/storage';

import { describeError } from '../../errors.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './gcs-bucket.js';
import { describeRule, isMet, reachesLive, rulesOf, typeOf, wantedRules } from './gcs-lifecycle.js';
import { metadataOf } from './gcs-metadata.js';

const provision = 'run catchment provision';

/** Whether the bucket's own settings keep what must be kept, and let go what is of no use. Never throws. */
export async function checkKeeping(bucket: Bucket): Promise<readonly Finding[]> {
  let found: BucketMetadata | undefined;
  try {
    found = await metadataOf(bucket);
  } catch (error) {
    // Nothing is lost where this cannot be looked at, so it is no error.
    return [{ level: 'warning', what: `lake ${bucket.uri}: ${describeError(error)}` }];
  }
  const findings = [
    ...whereabouts(bucket, found),
    ...harm(bucket, found),
    ...cost(bucket, found),
    ...access(bucket, found),
  ];
  const kept = softDeletion(found);
  if (findings.length === 0)
    findings.push({
      level: 'ok',
      what: `lake ${bucket.uri}: the bucket's rules keep events and let load files go${kept}`,
    });
  return findings;
}

/** Whether it is where the config says, and is Cloud Storage at all. */
function whereabouts({ uri, settings }: Bucket, found: BucketMetadata): Finding[] {
  const findings: Finding[] = [];
  const { location, endpoint } = settings;
  if (location !== undefined && found.location !== undefined && found.location.toUpperCase() !== location.toUpperCase())
    findings.push({
      level: 'warning',
      what: `lake ${uri}: the bucket is in ${found.location}, and the config says ${location}`,
      remedy: 'correct the config, or name another bucket',
    });
  if (endpoint === undefined && (process.env['STORAGE_EMULATOR_HOST'] ?? '') !== '')
    findings.push({
      level: 'warning',
      what: `lake ${uri}: STORAGE_EMULATOR_HOST is set: this is not Cloud Storage itself, but what that names`,
      remedy: 'unset it, or name the emulator as endpoint in the config',
    });
  return findings;
}

/** What would be done to events, or not be done to load files. */
function harm(bucket: Bucket, found: BucketMetadata): Finding[] {
  const raw = `${bucket.prefix}raw/`;
  const findings: Finding[] = [];
  for (const rule of rulesOf(found).filter((one) => reachesLive(one, raw))) {
    if (typeOf(rule) === 'Delete')
      findings.push({
        level: 'error',
        what: `lake ${bucket.uri}: ${describeRule(rule)} deletes events under ${raw}`,
        remedy: `remove the rule, or give it a prefix that leaves ${raw} out`,
      });
    else if (['COLDLINE', 'ARCHIVE'].includes(rule.action.storageClass ?? ''))
      findings.push({
        level: 'warning',
        what: `lake ${bucket.uri}: ${describeRule(rule)} moves events under ${raw}: each that a backfill reads is then paid for`,
        remedy: 'store them as STANDARD or NEARLINE while they may be read again',
      });
  }
  const seconds = Number(found.retentionPolicy?.retentionPeriod ?? 0);
  if (seconds > 0 || found.defaultEventBasedHold === true)
    findings.push({
      level: 'error',
      what: `lake ${bucket.uri}: ${seconds > 0 ? `the bucket's retention policy keeps every object for ${daysOf(seconds)}` : 'the bucket puts a hold on every new object'}: load files cannot be removed`,
      remedy: 'take it away, or put staging into a bucket without',
    });
  return findings;
}

function cost(bucket: Bucket, found: BucketMetadata): Finding[] {
  const { load, noncurrent } = wantedRules(bucket);
  const rules = rulesOf(found);
  const findings: Finding[] = [];
  if (!isMet(rules, load))
    findings.push({
      level: 'warning',
      what: `lake ${bucket.uri}: no rule of the bucket expires load files under ${load.prefix}; a killed worker's stay until another sweeps them`,
      remedy: provision,
    });
  if (found.versioning?.enabled === true && !isMet(rules, noncurrent))
    findings.push({
      level: 'warning',
      what: `lake ${bucket.uri}: the bucket keeps old versions for ever: load files that were removed are still paid for`,
      remedy: provision,
    });
  if (found.billing?.requesterPays === true)
    findings.push({
      level: 'warning',
      what: `lake ${bucket.uri}: the bucket makes who asks pay: calls from other projects are refused`,
      remedy: 'take requester pays off the bucket',
    });
  return findings;
}

function access(bucket: Bucket, { iamConfiguration }: BucketMetadata): Finding[] {
  if (iamConfiguration?.publicAccessPrevention === 'enforced') return [];
  const what = `lake ${bucket.uri}: the bucket itself does not prevent public access`;
  return [{ level: 'warning', what, remedy: provision }];
}

/** No finding: each new bucket has it, and it may save events that somebody removed. But it costs. */
function softDeletion({ softDeletePolicy }: BucketMetadata): string {
  const seconds = Number(softDeletePolicy?.retentionDurationSeconds ?? 0);
  return seconds === 0 ? '' : `; by soft delete a removed object is kept, and paid for, ${daysOf(seconds)} more`;
}

function daysOf(seconds: number): string {
  const days = Math.round(seconds / 86_400);
  return days < 1 ? `${seconds} seconds` : days === 1 ? 'a day' : `${days} days`;
}
