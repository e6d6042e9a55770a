import { defineTable, type EventView } from 'catchment';
import { z } from 'zod';

// An event is a webhook of GitHub: {"event":"issues","delivery":"…","payload":{…}}.
// A contract (`event`) names only what its rows need. What fails it stays in the lake and shows as a rejection.

const of = (name: string) => (event: EventView) => event.json?.event === name;

const repository = z.object({ full_name: z.string() });
const user = z.object({ login: z.string() });
const time = z.iso.datetime({ offset: true });

/** A row for every event, whatever it is about. Installations have no repository, advisories not even a sender. */
export const activity = defineTable('activity', {
  event: z.object({
    event: z.string(),
    payload: z.object({ action: z.string().optional(), repository: repository.optional(), sender: user.optional() }),
  }),
  row: z.object({
    event: z.string(),
    action: z.string().optional(),
    repository: z.string().optional(),
    sender: z.string().optional(),
  }),
  rows: ({ event, payload: { action, repository, sender } }) => ({
    event,
    action,
    repository: repository?.full_name,
    sender: sender?.login,
  }),
  cluster: ['event'],
});

// What a row takes over from its event as it is need be written only once.
const issue = z.object({
  number: z.int(),
  title: z.string(),
  state: z.string().optional(),
  // How many there are varies: a JSON column.
  labels: z.array(z.object({ name: z.string(), color: z.string() })).optional(),
  comments: z.int(),
  created_at: time,
  closed_at: time.nullish(),
});

export const issues = defineTable('issues', {
  match: of('issues'),
  event: z.object({
    payload: z.object({
      action: z.string(),
      repository,
      issue: issue.extend({ user, milestone: z.object({ number: z.int() }).nullish() }),
    }),
  }),
  row: issue.extend({
    repository: z.string(),
    action: z.string(),
    author: z.string(),
    milestone: z.int().optional(),
  }),
  rows: ({ payload }) => {
    const { user, milestone, ...fields } = payload.issue;
    return {
      ...fields,
      repository: payload.repository.full_name,
      action: payload.action,
      author: user.login,
      milestone: milestone?.number,
    };
  },
  cluster: ['repository', 'number'],
});

const pullRequest = z.object({
  number: z.int(),
  title: z.string(),
  draft: z.boolean(),
  merged: z.boolean(),
  mergeable: z.boolean().nullable(),
  additions: z.int(),
  deletions: z.int(),
  changed_files: z.int(),
  created_at: time,
  merged_at: time.nullable(),
});

export const pullRequests = defineTable('pull_requests', {
  match: of('pull_request'),
  event: z.object({
    payload: z.object({ action: z.string(), repository, pull_request: pullRequest.extend({ user }) }),
  }),
  row: pullRequest.extend({ repository: z.string(), action: z.string(), author: z.string() }),
  rows: ({ payload }) => {
    const { user, ...fields } = payload.pull_request;
    return { ...fields, repository: payload.repository.full_name, action: payload.action, author: user.login };
  },
  cluster: ['repository', 'number'],
});

const files = z.array(z.string());

/** One event, many rows: a push carries all its commits, or none where it only makes or deletes a branch. */
export const commits = defineTable('commits', {
  match: of('push'),
  event: z.object({
    payload: z.object({
      ref: z.string(),
      repository,
      commits: z.array(
        z.object({
          id: z.string(),
          message: z.string(),
          timestamp: time,
          author: z.object({ name: z.string() }),
          added: files,
          removed: files,
          modified: files,
        }),
      ),
    }),
  }),
  row: z.object({
    repository: z.string(),
    ref: z.string(),
    sha: z.string(),
    author: z.string(),
    message: z.string(),
    files_changed: z.int(),
    committed_at: time,
  }),
  rows: ({ payload: { ref, repository, commits } }) =>
    commits.map(({ id, message, author, timestamp, added, removed, modified }) => ({
      repository: repository.full_name,
      ref,
      sha: id,
      author: author.name,
      message,
      files_changed: added.length + removed.length + modified.length,
      committed_at: timestamp,
    })),
  cluster: ['repository'],
});

const step = z.object({ number: z.int(), name: z.string(), conclusion: z.string().nullable() });

/** The steps of the jobs of GitHub Actions. A job has no runner while it waits; a step takes no time until it ends. */
export const jobSteps = defineTable('job_steps', {
  match: of('workflow_job'),
  event: z.object({
    payload: z.object({
      repository,
      workflow_job: z.object({
        id: z.int(),
        name: z.string(),
        runner_id: z.int().nullable(),
        steps: z.array(step.extend({ started_at: time.nullable(), completed_at: time.nullable() })),
      }),
    }),
  }),
  row: step.extend({
    repository: z.string(),
    job_id: z.int(),
    job: z.string(),
    runner_id: z.int().nullable(),
    seconds: z.number().optional(),
  }),
  rows: ({ payload: { repository, workflow_job: job } }) =>
    job.steps.map(({ started_at, completed_at, ...fields }) => ({
      ...fields,
      repository: repository.full_name,
      job_id: job.id,
      job: job.name,
      runner_id: job.runner_id,
      seconds: secondsBetween(started_at, completed_at),
    })),
  cluster: ['repository', 'job_id'],
});

function secondsBetween(from: string | null, to: string | null): number | undefined {
  return from === null || to === null ? undefined : (Date.parse(to) - Date.parse(from)) / 1_000;
}

const release = z.object({
  tag_name: z.string(),
  name: z.string().nullable(),
  prerelease: z.boolean(),
  published_at: time.nullable(),
});

/** Drafts and edits make no row: `rows` may return nothing. */
export const releases = defineTable('releases', {
  match: of('release'),
  event: z.object({ payload: z.object({ action: z.string(), repository, release }) }),
  row: release.extend({ repository: z.string() }),
  rows: ({ payload: { action, repository, release } }) =>
    action === 'published' ? { ...release, repository: repository.full_name } : undefined,
});
