import type { LifecycleRule } from '@aws-sdk/client-s3';

import type { Bucket } from './s3-bucket.js';
import { sdkError } from './sdk.js';

/** What a rule does, and to all that begins with `prefix`. */
interface Wanted {
  readonly id: string;
  /** For people: "expire load files under load/ after 7 days". */
  readonly what: string;
  readonly prefix: string;
  readonly action: Partial<LifecycleRule>;
  readonly does: (rule: LifecycleRule) => boolean;
}

const loadDays = 7;
const noncurrentDays = 30;
const uploadDays = 7;

/** The lifecycle that a lake wants of its bucket. `raw/` is not in it: what is there is for ever. */
export function wantedRules({ prefix }: Bucket): { load: Wanted; noncurrent: Wanted; uploads: Wanted } {
  // Pipelines that share a bucket must not take one another's rules for their own.
  const id = (name: string): string => `catchment-${name}${prefix === '' ? '' : `:${prefix}`}`;
  const under = prefix === '' ? '' : ` under ${prefix}`;
  return {
    load: {
      id: id('load'),
      what: `expire load files under ${prefix}load/ after ${loadDays} days`,
      prefix: `${prefix}load/`,
      action: { Expiration: { Days: loadDays } },
      does: expires,
    },
    noncurrent: {
      id: id('noncurrent'),
      what: `remove non-current versions${under} after ${noncurrentDays} days`,
      prefix,
      action: { NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays } },
      does: (rule) => rule.NoncurrentVersionExpiration?.NoncurrentDays !== undefined,
    },
    uploads: {
      id: id('uploads'),
      what: `abort incomplete multipart uploads${under} after ${uploadDays} days`,
      prefix,
      action: { AbortIncompleteMultipartUpload: { DaysAfterInitiation: uploadDays } },
      does: (rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation !== undefined,
    },
  };
}

/** Some enabled rule, ours or the user's own, does it to everything there. */
export function isMet(rules: readonly LifecycleRule[], { prefix, does }: Wanted): boolean {
  return rules.some((rule) => isOn(rule) && does(rule) && isForAll(rule) && prefix.startsWith(prefixOf(rule)));
}

/** Objects of ours have no tags, so a rule that asks for some never meets them. */
export function reaches(rule: LifecycleRule, prefix: string): boolean {
  const its = prefixOf(rule);
  const tagged = rule.Filter?.Tag !== undefined || (rule.Filter?.And?.Tags ?? []).length > 0;
  return isOn(rule) && !tagged && (its.startsWith(prefix) || prefix.startsWith(its));
}

export function expires({ Expiration }: LifecycleRule): boolean {
  return Expiration?.Days !== undefined || Expiration?.Date !== undefined;
}

export function ruleOf({ id, prefix, action }: Wanted): LifecycleRule {
  return { ID: id, Status: 'Enabled', Filter: { Prefix: prefix }, ...action };
}

/** A rule as it may stand beside others: the two ways to write a prefix must not be mixed. */
export function modern(rule: LifecycleRule): LifecycleRule {
  if (rule.Filter !== undefined) return rule;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what the bucket has may be old
  const { Prefix = '', ...rest } = rule;
  return { ...rest, Filter: { Prefix } };
}

/** 'unknown': the store has no such thing. Throws as the SDK does. */
export async function lifecycleOf(bucket: Bucket) {
  const client = await bucket.client();
  try {
    const { Rules = [], TransitionDefaultMinimumObjectSize } = await client.getBucketLifecycleConfiguration({
      Bucket: bucket.name,
    });
    return { rules: Rules, smallest: TransitionDefaultMinimumObjectSize };
  } catch (error) {
    if (isUnknownCall(error)) return 'unknown';
    if (sdkError(error).name === 'NoSuchLifecycleConfiguration') return { rules: [], smallest: undefined };
    throw error;
  }
}

/** The store does not know this part of the API. */
export function isUnknownCall(error: unknown): boolean {
  const { name, status } = sdkError(error);
  return status === 501 || name === 'NotImplemented' || name === 'MethodNotAllowed';
}

export function prefixOf(rule: LifecycleRule): string {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what the bucket has may be old
  return rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? '';
}

const isOn = ({ Status }: LifecycleRule): boolean => Status === 'Enabled';

/** Neither by tag nor by size. */
function isForAll({ Filter: { Tag, ObjectSizeGreaterThan, ObjectSizeLessThan, And } = {} }: LifecycleRule): boolean {
  const alone = [Tag, ObjectSizeGreaterThan, ObjectSizeLessThan, And?.ObjectSizeGreaterThan, And?.ObjectSizeLessThan];
  return alone.every((value) => value === undefined) && (And?.Tags ?? []).length === 0;
}
