import { count, counted } from '../amounts.js';
import { describeDuration } from '../durations.js';
import { harmless } from '../harmless.js';
import { workPrefixes } from '../names.js';
import type { Commands } from './commands.js';
import { groupAlike, type StuckGroup } from './groups.js';
import type { Stuck, StuckReport } from './report.js';

/** For a person: what is stuck alike is told once, the longest first. */
export function describeStuck({ pipeline, workflows, stuck }: StuckReport, commands: Commands, now: number): string {
  const parts = groupAlike(stuck).map((group) => {
    const prefix = workPrefixes(pipeline).find((one) => group[0].workflowId.startsWith(one));
    return describeGroup(group, prefix && commands.ofAll(prefix), now)
      .map(harmless)
      .join('\n');
  });
  return [...parts, summaryOf(workflows, stuck)].join('\n\n');
}

function describeGroup(group: StuckGroup, commandForAll: string | undefined, now: number): string[] {
  const [{ workflowId, activity, table, error, state, command }, ...others] = group;
  const what = `${activity?.type ?? 'the workflow itself'}${table === undefined ? '' : ` of ${table}`}`;
  const lines = [`${what} ${stateOf(group[0], now)}`];
  if (error !== undefined) lines.push(`  ${error.type === undefined ? '' : `${error.type}: `}${error.message}`);
  lines.push(`  ${workflowId}${activity?.summary === undefined ? '' : ` (${activity.summary})`}`, `  ${command}`);
  if (others.length === 0) return lines;
  lines.push(`  and ${count(others.length)} more like it, in ${counted(workflowsOf(group), 'workflow')} together`);
  if (commandForAll !== undefined && activity !== undefined && state === 'failing') lines.push(`  ${commandForAll}`);
  return lines;
}

function stateOf({ state, since, attempt, nextAttemptAt }: Stuck, now: number): string {
  const age = since === undefined ? undefined : describeDuration(Math.max(0, now - Date.parse(since)));
  const lasting = age === undefined ? '' : ` for ${age}`;
  if (state === 'no worker') return `has waited${lasting}, and no worker has taken it`;
  if (state === 'paused') return `has been paused${lasting}; attempt ${count(attempt)} is next`;
  const wait = nextAttemptAt === undefined ? undefined : Date.parse(nextAttemptAt) - now;
  const next = wait === undefined ? 'runs' : wait > 0 ? `in ${describeDuration(wait)}` : 'is due';
  return `has been failing${lasting}; attempt ${count(attempt)} ${next}`;
}

function summaryOf({ running, lookedAt }: StuckReport['workflows'], stuck: readonly Stuck[]): string {
  const more =
    lookedAt < running
      ? `; only the ${count(lookedAt)} that run longest of ${count(running)} were looked at: --limit takes more`
      : '';
  if (stuck.length === 0) return `nothing is stuck: ${counted(lookedAt, 'workflow')} looked at${more}`;
  const activities = stuck.filter(({ activity }) => activity !== undefined);
  const themselves = stuck.length - activities.length;
  const parts = [];
  if (activities.length > 0) {
    const word = activities.length === 1 ? 'activity' : 'activities';
    parts.push(`${count(activities.length)} ${word} of ${counted(workflowsOf(activities), 'workflow')}`);
  }
  if (themselves > 0) parts.push(`${counted(themselves, 'workflow')} as a whole`);
  return `what does not go on: ${parts.join(', ')}${more}`;
}

function workflowsOf(stuck: readonly Stuck[]): number {
  return new Set(stuck.map(({ workflowId }) => workflowId)).size;
}
