import type { LifecycleRule } from '@aws-sdk/client-s3';

import { describeError } from '../../errors.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './s3-bucket.js';
import { expires, isMet, isUnknownCall, lifecycleOf, prefixOf, reaches, wantedRules } from './s3-lifecycle.js';

const provision = 'run catchment provision';

/** Whether the bucket's own rules keep what must be kept, and let go what is of no use. Never throws. */
export async function checkKeeping(bucket: Bucket): Promise<readonly Finding[]> {
  const [lifecycle, versioned] = await Promise.all([
    asked(bucket, 's3:GetLifecycleConfiguration', 'how long it keeps objects', () => lifecycleOf(bucket)),
    asked(bucket, 's3:GetBucketVersioning', 'whether it keeps old versions', () => isVersioned(bucket)),
  ]);
  const findings = [lifecycle, versioned].flatMap((answer) => ('finding' in answer ? [answer.finding] : []));
  if ('finding' in lifecycle || lifecycle.is === 'unknown') return findings;
  const { rules } = lifecycle.is;
  findings.push(...rules.flatMap((rule) => harmOf(bucket, rule)));
  const { load, noncurrent } = wantedRules(bucket);
  if (!isMet(rules, load))
    findings.push({
      level: 'warning',
      what: `lake ${bucket.uri}: no rule of the bucket expires load files under ${load.prefix}; a killed worker's stay until another sweeps them`,
      remedy: provision,
    });
  if ('is' in versioned && versioned.is && !isMet(rules, noncurrent))
    findings.push({
      level: 'warning',
      what: `lake ${bucket.uri}: the bucket keeps old versions for ever: load files that were removed are still paid for`,
      remedy: provision,
    });
  if (findings.length === 0)
    findings.push({ level: 'ok', what: `lake ${bucket.uri}: the bucket's rules keep events and let load files go` });
  return findings;
}

/** What the rule would do to events. */
function harmOf(bucket: Bucket, rule: LifecycleRule): Finding[] {
  const raw = `${bucket.prefix}raw/`;
  if (!reaches(rule, raw)) return [];
  const named = `lake ${bucket.uri}: the bucket's rule ${rule.ID ?? 'without an id'}, for '${prefixOf(rule)}'`;
  const archives = (rule.Transitions ?? []).some(({ StorageClass }) =>
    ['GLACIER', 'DEEP_ARCHIVE'].includes(StorageClass ?? ''),
  );
  return [
    ...(expires(rule)
      ? [
          {
            level: 'error',
            what: `${named}, deletes events under ${raw}`,
            remedy: `remove the rule, or give it a prefix that leaves ${raw} out`,
          } as const,
        ]
      : []),
    ...(archives
      ? [
          {
            level: 'warning',
            what: `${named}, archives events under ${raw}: a backfill cannot read them until they are restored`,
            remedy: 'move them to a class that is read at once, such as GLACIER_IR, instead',
          } as const,
        ]
      : []),
  ];
}

async function isVersioned(bucket: Bucket): Promise<boolean> {
  const client = await bucket.client();
  try {
    return (await client.getBucketVersioning({ Bucket: bucket.name })).Status === 'Enabled';
  } catch (error) {
    if (isUnknownCall(error)) return false;
    throw error;
  }
}

type Answer<Value> = { readonly is: Value } | { readonly finding: Finding };

/** Nothing is lost where this cannot be looked at, so it is no error. */
async function asked<Value>(
  bucket: Bucket,
  permission: string,
  what: string,
  ask: () => Promise<Value>,
): Promise<Answer<Value>> {
  try {
    return { is: await ask() };
  } catch (error) {
    const failed = bucket.failure(error, `asking the bucket ${what}`, permission);
    return { finding: { level: 'warning', what: `lake ${bucket.uri}: ${describeError(failed)}` } };
  }
}
