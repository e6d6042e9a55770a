import { ApplicationFailure } from '@temporalio/common';

import { withTypedFailures } from '../../src/activities/failures.js';
import { LakeCorrupt, RowsRefused, Unavailable, UserCodeError } from '../../src/errors.js';
import { asActivity } from '../fakes/activity.js';

function failureOf(error: unknown): Promise<ApplicationFailure> {
  const activities = withTypedFailures({ fail: (): Promise<never> => Promise.reject(error as Error) });
  return asActivity(activities.fail).then(
    () => Promise.reject(new Error('it did not fail')),
    (failure: unknown) => failure as ApplicationFailure,
  );
}

test('a typed error keeps its name, message and place, and loses its stack', async () => {
  const failure = await failureOf(new Unavailable('the lake is down', { key: 'raw/app/x' }));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({
    type: 'Unavailable',
    message: 'the lake is down',
    nonRetryable: false,
    details: [{ key: 'raw/app/x' }],
    stack: '',
  });
  expect(failure.cause).toBeUndefined();
});

test.each([
  new LakeCorrupt('not what was stored'),
  new RowsRefused('a row was refused'),
  new UserCodeError('mend rows'),
])('$name is not tried again', async (error) => {
  expect((await failureOf(error)).nonRetryable).toBe(true);
});

test("a driver's error loses what it quotes, its cause and its own fields", async () => {
  const error = Object.assign(new Error('bad value "SECRET" of column x', { cause: new Error('SECRET') }), {
    detail: 'SECRET',
  });
  const failure = await failureOf(error);
  expect(JSON.stringify([failure, failure.message, failure.stack, failure.cause, failure.details])).not.toContain(
    'SECRET',
  );
  expect(failure.message).toContain('bad value');
});

test.each([['a text'], [undefined], [{ body: 'SECRET' }]])(
  '%p that is thrown is no Error, and not shown',
  async (thrown) => {
    expect((await failureOf(thrown)).message).toBe('something was thrown that is no Error');
  },
);
