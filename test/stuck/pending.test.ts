import { pendingOf } from '../../src/stuck/pending.js';

const now = Date.parse('2026-11-24T12:00:00Z');
const at = (ms: number) => ({ seconds: Math.floor((now + ms) / 1_000), nanos: 0 }) as never;
const activity = (more: object) => ({ activityId: '7', activityType: { name: 'load' }, attempt: 1, ...more }) as never;
const ofActivity = (more: object): unknown => pendingOf({ pendingActivities: [activity(more)] }, now);
const scheduled = { state: 'PENDING_ACTIVITY_STATE_SCHEDULED' };

test('a first attempt that runs, or was scheduled a moment ago, is nothing', () => {
  expect(ofActivity({ state: 'PENDING_ACTIVITY_STATE_STARTED', scheduledTime: at(-3_600_000) })).toEqual([]);
  expect(ofActivity({ ...scheduled, scheduledTime: at(-30_000) })).toEqual([]);
  expect(pendingOf({}, now)).toEqual([]);
});

test('a first attempt that nobody takes for half a minute has no worker', () => {
  const expected = [
    { state: 'no worker', activity: { id: '7', type: 'load' }, attempt: 1, since: '2026-11-24T11:59:29.000Z' },
  ];
  expect(ofActivity({ ...scheduled, scheduledTime: at(-31_000) })).toEqual(expected);
  expect(ofActivity({ state: 1, scheduledTime: at(-31_000) })).toEqual(expected);
});

test('a later attempt fails, whether it runs or waits, with the error of the one before', () => {
  const timeout = {
    message: 'activity StartToClose timeout',
    cause: { message: 'the disk is full', applicationFailureInfo: { type: 'Unavailable' } },
  };
  expect(ofActivity({ state: 'PENDING_ACTIVITY_STATE_STARTED', attempt: 2, lastFailure: timeout })).toEqual([
    {
      state: 'failing',
      activity: { id: '7', type: 'load' },
      attempt: 2,
      error: { message: 'activity StartToClose timeout: the disk is full' },
    },
  ]);
  const lastFailure = { message: 'the disk is full', applicationFailureInfo: { type: 'Unavailable' } };
  expect(ofActivity({ ...scheduled, attempt: 3, lastFailure, nextAttemptScheduleTime: at(4_000) })).toMatchObject([
    { nextAttemptAt: '2026-11-24T12:00:04.000Z', error: { type: 'Unavailable', message: 'the disk is full' } },
  ]);
});

test('what is paused is paused, whatever its attempt', () => {
  const paused = { paused: true, pauseInfo: { pauseTime: at(-5_000) } };
  for (const attempt of [1, 9])
    expect(ofActivity({ ...paused, attempt })).toMatchObject([
      { state: 'paused', attempt, since: '2026-11-24T11:59:55.000Z' },
    ]);
});

test('a workflow’s own task fails, or finds no worker, as an activity does', () => {
  const ofTask = (task: object): unknown => pendingOf({ pendingWorkflowTask: task }, now);
  const waiting = { state: 'PENDING_WORKFLOW_TASK_STATE_SCHEDULED', attempt: 1 };
  expect(ofTask({ ...waiting, scheduledTime: at(-1_000) })).toEqual([]);
  expect(ofTask({ ...waiting, scheduledTime: at(-31_000) })).toEqual([
    { state: 'no worker', attempt: 1, since: '2026-11-24T11:59:29.000Z' },
  ]);
  expect(ofTask({ ...waiting, attempt: 4, originalScheduledTime: at(-31_000) })).toEqual([
    { state: 'failing', attempt: 4, since: '2026-11-24T11:59:29.000Z' },
  ]);
});
