import type { BucketMetadata, LifecycleRule } from '@google-cloud/storage';

import type { Bucket } from './gcs-bucket.js';

/** What a rule does, and to all that begins with `prefix`. */
interface Wanted {
  /** For people: "expire load files under load/ after 7 days". */
  readonly what: string;
  readonly prefix: string;
  readonly condition: LifecycleRule['condition'];
  readonly does: (rule: LifecycleRule) => boolean;
}

const loadDays = 7;
const noncurrentDays = 30;

/** The lifecycle that a lake wants of its bucket. `raw/` is not in it: what is there is for ever. */
export function wantedRules({ prefix }: Pick<Bucket, 'prefix'>): { load: Wanted; noncurrent: Wanted } {
  return {
    load: {
      what: `expire load files under ${prefix}load/ after ${loadDays} days`,
      prefix: `${prefix}load/`,
      condition: { age: loadDays },
      does: deletesLive,
    },
    noncurrent: {
      what: `remove non-current versions${prefix === '' ? '' : ` under ${prefix}`} after ${noncurrentDays} days`,
      prefix,
      condition: { daysSinceNoncurrentTime: noncurrentDays },
      does: (rule) => typeOf(rule) === 'Delete' && isOnlyOf(rule, noncurrentAlone),
    },
  };
}

/** The rules, with those that are not there yet: GCS's have no name, so what they do says whose they are. */
export function ruleOf({ prefix, condition }: Wanted): LifecycleRule {
  return { action: { type: 'Delete' }, condition: { ...condition, ...(prefix !== '' && { matchesPrefix: [prefix] }) } };
}

export function rulesOf({ lifecycle }: BucketMetadata): readonly LifecycleRule[] {
  return lifecycle?.rule ?? [];
}

/** Some rule, ours or the user's own, does it to everything there. */
export function isMet(rules: readonly LifecycleRule[], { prefix, does }: Wanted): boolean {
  return rules.some((rule) => does(rule) && prefixesOf(rule).some((its) => prefix.startsWith(its)));
}

/** The rule may do what it does to objects beneath the prefix that are not yet replaced or removed. */
export function reachesLive(rule: LifecycleRule, prefix: string): boolean {
  const { isLive, matchesSuffix = [] } = rule.condition;
  // Objects of ours have no time of the user's own.
  const never: (keyof LifecycleRule['condition'])[] = [...noncurrentAlone, 'customTimeBefore', 'daysSinceCustomTime'];
  if (isLive === false || never.some((name) => rule.condition[name] !== undefined)) return false;
  const suffix = '.ndjson.gz';
  const isNamed =
    matchesSuffix.length === 0 || matchesSuffix.some((its) => suffix.endsWith(its) || its.endsWith(suffix));
  return isNamed && prefixesOf(rule).some((its) => its.startsWith(prefix) || prefix.startsWith(its));
}

export function typeOf({ action }: LifecycleRule): string {
  return action.type;
}

/** For people; the rules have no name. */
export function describeRule(rule: LifecycleRule): string {
  const under = prefixesOf(rule).map((its) => `'${its}'`);
  return `the bucket's rule to ${typeOf(rule) === 'Delete' ? 'delete' : `store as ${rule.action.storageClass ?? 'another class'}`} what begins with ${under.join(' or ')}`;
}

/** With one of them a rule is for objects that another has replaced, or that were removed. */
const noncurrentAlone = ['daysSinceNoncurrentTime', 'noncurrentTimeBefore', 'numNewerVersions'] as const;

function deletesLive(rule: LifecycleRule): boolean {
  return typeOf(rule) === 'Delete' && isOnlyOf(rule, ['age', 'createdBefore']) && rule.condition.isLive !== false;
}

/** It asks for one of these, and for nothing else that an object may lack. */
function isOnlyOf({ condition }: LifecycleRule, names: readonly (keyof LifecycleRule['condition'])[]): boolean {
  const asked = Object.entries(condition)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name]) => name as keyof LifecycleRule['condition'])
    .filter((name) => name !== 'matchesPrefix' && name !== 'isLive');
  return asked.length > 0 && asked.every((name) => names.includes(name));
}

function prefixesOf({ condition: { matchesPrefix = [] } }: LifecycleRule): readonly string[] {
  return matchesPrefix.length === 0 ? [''] : matchesPrefix;
}
