import { LakeNotFound, Unavailable } from '../../src/errors.js';
import { sdkError, unavailable } from '../../src/providers/aws/sdk.js';

const asked = { doing: 'writing a', permission: 's3:PutObject' };
const messageOf = (error: unknown): string => unavailable(error, asked).message;

describe('an error of the SDK', () => {
  const $metadata = { httpStatusCode: 403, requestId: 'A1+/=', attempts: 3 };

  test('says what was asked, what came of it and what to do, and quotes nothing', () => {
    const error = Object.assign(new Error("User 'HIDDEN' is not"), { name: 'AccessDenied', $metadata });
    expect(messageOf(error)).toBe(
      'writing a: AccessDenied (HTTP 403, request A1+/=); allow s3:PutObject to who runs this',
    );
    const made = unavailable(error, asked, { key: 'a' });
    expect(made).toBeInstanceOf(Unavailable);
    expect(made.cause).toBeUndefined();
    expect(made.where).toEqual({ key: 'a' });
  });

  test.each([
    [{ name: 'CredentialsProviderError' }, 'no credentials were found'],
    [{ name: 'ExpiredToken' }, 'have expired'],
    [{ name: 'SignatureDoesNotMatch' }, 'are not right'],
    [{ name: 'RequestTimeTooSkewed' }, 'clock'],
    [{ name: 'Error', message: 'Region is missing' }, 'RegionMissing; no region is known'],
    [{ name: 'SlowDown' }, 'fewer calls'],
    [{ name: 'ThrottlingException' }, 'fewer calls'],
    [{ name: 'KMS.DisabledException' }, 'KMS key'],
    [{ name: 'NoSuchBucket' }, 'catchment provision'],
    [{ name: 'AWS.SimpleQueueService.NonExistentQueue' }, 'make the queue'],
    [{ name: 'PermanentRedirect', Region: 'eu-west-1' }, "name the region 'eu-west-1'"],
    [{ name: 'Error', code: 'ECONNREFUSED', message: 'HIDDEN' }, 'writing a: ECONNREFUSED; no answer'],
    [{ name: 'AggregateError', code: 'ECONNREFUSED' }, 'writing a: ECONNREFUSED; no answer'],
    [{ name: 'TimeoutError' }, 'TimeoutError; no answer'],
    [{ name: 'Error', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'NODE_EXTRA_CA_CERTS'],
    [{ name: 'NotImplemented' }, 'does not know this call'],
    [{ name: 'NewThing', $metadata: { httpStatusCode: 403 } }, 'allow s3:PutObject'],
    [{ name: 'NewThing', $metadata: { httpStatusCode: 503 } }, 'fewer calls'],
  ])('%j', (error, expected) => {
    expect(messageOf(error)).toContain(expected);
    expect(messageOf(error)).not.toContain('HIDDEN');
  });

  test.each([undefined, null, 'HIDDEN', 7, {}, { name: 'the HIDDEN itself', code: 'a b' }])(
    'that is none: %j',
    (thrown) => {
      expect(messageOf(thrown)).toBe('writing a: an unknown error');
      expect(sdkError(thrown)).toEqual({ name: 'an unknown error', attempts: 1 });
    },
  );

  test('of ours stays what it is', () => {
    const gone = new LakeNotFound('gone');
    expect(unavailable(gone, asked)).toBe(gone);
  });

  test('tells how often it was tried', () => {
    expect(sdkError({ name: 'PreconditionFailed', $metadata })).toMatchObject({ status: 403, attempts: 3 });
  });
});
