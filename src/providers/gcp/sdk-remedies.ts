import type { SdkError } from './sdk.js';

const credentials =
  'no credentials were found: run where a service account is attached (workload identity), or name a file in GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login';
const wrongCredentials =
  'the credentials are not taken: look which ones the process has (GOOGLE_APPLICATION_CREDENTIALS, or the attached service account)';
const unreadable =
  'the file of credentials cannot be read: look at what GOOGLE_APPLICATION_CREDENTIALS names, or make it anew';
export const projectRemedy = 'no Google Cloud project is known: name it in projectId, or set GOOGLE_CLOUD_PROJECT';
const renew = 'the credentials have expired or were revoked: log in again, or use an attached service account';
const throttled = 'the service asks for fewer calls: it is tried again, and slower';
export const missingRemedy = 'make it with catchment provision, or correct its name or project in the config';
const noAnswer = 'no answer: look at the network and at the endpoint in the config';
const certificate =
  'the certificate is not trusted: name its authority in NODE_EXTRA_CA_CERTS, or correct the endpoint';

/** By the error's name, what a person can do about it. */
const byName: readonly (readonly [RegExp, string])[] = [
  // A file that is named and not there.
  [/^(CredentialsMissing|ENOENT)$/, credentials],
  [/^CredentialsUnreadable$/, unreadable],
  // Who has no credentials either hears of those next.
  [/^ProjectUnknown$/, `${projectRemedy}; credentials may be missing too`],
  [/^(invalid_grant|invalid_rapt)$/, renew],
  [/^(UNAUTHENTICATED|authError|required|invalid_client|unauthorized_client)$/, wrongCredentials],
  [/^(RESOURCE_EXHAUSTED|rateLimitExceeded|userRateLimitExceeded|quotaExceeded)$/, throttled],
  [/^(NOT_FOUND|notFound)$/, missingRemedy],
  [
    /^(accountDisabled|SERVICE_DISABLED|accessNotConfigured)$/,
    'enable the API in the project, and its billing: gcloud services enable',
  ],
  [
    /^(retentionPolicyNotMet|objectUnderActiveHold)$/,
    "the bucket's retention policy, or a hold, keeps it: take that away, or use a bucket without",
  ],
  [/^(UserProjectMissing|userProjectMissing)$/, 'the bucket makes who asks pay: take requester pays off it'],
  [
    /^FAILED_PRECONDITION$/,
    'the topic or subscription is in no state for it (detached, push, its key disabled): catchment check may say which',
  ],
  [/^HPE_/, 'what answers there is not the service: look at the endpoint in the config'],
  [/^(UNIMPLEMENTED|notImplemented)$/, 'the service does not know this call; use one that does'],
  [/CERT|SELF_SIGNED|^ERR_TLS|^EPROTO$/, certificate],
  [
    /^(UNAVAILABLE|DEADLINE_EXCEEDED|TimeoutError|ETIMEDOUT|ESOCKETTIMEDOUT|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/,
    noAnswer,
  ],
];

/** By the HTTP status, where the name says nothing. */
const byStatus: Readonly<Record<number, string>> = { 401: wrongCredentials, 404: missingRemedy, 429: throttled };

/** What to do about a failed call; undefined where only time, or the service's own people, can help. */
export function remedyOf({ name, status, grpc }: SdkError, permission: string): string | undefined {
  const named = byName.find(([pattern]) => pattern.test(name))?.[1];
  if (named !== undefined) return named;
  if (status === 403 || grpc === 7) return `allow ${permission} to who runs this`;
  return status === undefined ? undefined : byStatus[status];
}
