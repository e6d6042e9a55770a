import { Unavailable } from '../../src/errors.js';
import { ErrorAnswer } from '../../src/providers/gcp/gcs-http.js';
import { NoAnswer, noAnswer } from '../../src/providers/gcp/no-answer.js';
import { sdkError, unavailable } from '../../src/providers/gcp/sdk.js';

const asked = { doing: 'writing a', permission: 'storage.objects.create' };

describe('an error of Google Cloud Storage says what came of a call, and what to do', () => {
  test.each<[unknown, string]>([
    [new ErrorAnswer(403, 'forbidden'), 'forbidden (HTTP 403); allow storage.objects.create to who runs this'],
    [new ErrorAnswer(403, 'retentionPolicyNotMet'), "retentionPolicyNotMet (HTTP 403); the bucket's retention policy"],
    [new ErrorAnswer(400, 'userProjectMissing'), 'userProjectMissing (HTTP 400); the bucket makes who asks pay'],
    [new ErrorAnswer(404, 'notFound'), 'notFound (HTTP 404); make it with catchment provision'],
    [new ErrorAnswer(404, 'what is HIDDEN'), 'writing a: HTTP 404; make it with catchment provision'],
    [new ErrorAnswer(429, 'rateLimitExceeded'), 'rateLimitExceeded (HTTP 429); the service asks for fewer calls'],
    [new ErrorAnswer(503, undefined), 'writing a: HTTP 503'],
    [noAnswer(Object.assign(new Error('HIDDEN'), { code: 'ECONNREFUSED' })), 'ECONNREFUSED; no answer'],
    [noAnswer(new Error('HIDDEN')), 'ECONNRESET; no answer'],
    [new NoAnswer('ETIMEDOUT'), 'ETIMEDOUT; no answer'],
    [Object.assign(new Error('HIDDEN'), { code: 'ENOENT' }), 'GOOGLE_APPLICATION_CREDENTIALS'],
    [new Error('Could not load the default credentials. HIDDEN'), 'CredentialsMissing; no credentials were found'],
    [new Error('Unable to detect a Project Id in HIDDEN'), 'ProjectUnknown; no Google Cloud project is known'],
    [new Error('The incoming JSON object does not contain HIDDEN'), 'CredentialsUnreadable; the file of credentials'],
    [new Error('No valid Identity Pool "credential_source" HIDDEN'), 'CredentialsUnreadable; the file of credentials'],
    [new TypeError('fetch HIDDEN', { cause: { code: 'ECONNREFUSED', message: 'HIDDEN' } }), 'ECONNREFUSED; no answer'],
    [noAnswer(Object.assign(new Error('HIDDEN'), { code: 'HPE_INVALID_CONSTANT' })), 'is not the service'],
  ])('%#', (error, expected) => {
    const made = unavailable(error, asked, { key: 'a' });
    expect(made).toBeInstanceOf(Unavailable);
    expect(made.message).toContain(expected);
    expect(made.message).not.toContain('HIDDEN');
    expect(made.where).toEqual({ key: 'a' });
  });

  test('and whether it was the service that answered', () => {
    expect(sdkError(new ErrorAnswer(412, 'conditionNotMet'))).toEqual({ name: 'conditionNotMet', status: 412 });
    expect(sdkError(new NoAnswer('EPIPE'))).toEqual({ name: 'EPIPE' });
  });
});
