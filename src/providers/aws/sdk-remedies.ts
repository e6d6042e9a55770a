import type { SdkError } from './sdk.js';

const renew = 'the credentials have expired: renew them, or use a role or profile that the SDK renews by itself';
const credentials =
  'no credentials were found: give this process a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
const wrongCredentials =
  'the credentials are not right: look which ones the process has (AWS_PROFILE, AWS_ACCESS_KEY_ID)';
const clock = "this machine's clock is wrong: set it right (NTP)";
const throttled = 'the service asks for fewer calls: it is tried again, and slower';
const missingBucket = 'make the bucket with catchment provision, or correct its name, region or endpoint in the config';
const missingQueue = 'make the queue with catchment provision, or correct its name, region or account in the config';
const noAnswer = 'no answer: look at the network and at the endpoint and region in the config';
const certificate =
  'the certificate is not trusted: name its authority in NODE_EXTRA_CA_CERTS, or correct the endpoint';
const key = 'look at the KMS key: whether it is there, enabled, and its policy lets this process use it';

/** By the error's name, what a person can do about it. */
const byName: readonly (readonly [RegExp, string])[] = [
  [/^(CredentialsProviderError|TokenProviderError|CredentialsError|NoAuthHandlerFound)$/, credentials],
  [/^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/, renew],
  [
    /^(InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClientException|InvalidToken|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationToken)$/,
    wrongCredentials,
  ],
  [/^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/, clock],
  [/^RegionMissing$/, 'no region is known: name it in the config, or set AWS_REGION'],
  [
    /throttl|^(SlowDown|RequestLimitExceeded|TooManyRequests|BandwidthLimitExceeded|OverLimit|ServiceUnavailable)/i,
    throttled,
  ],
  [/^KMS|^Kms/, key],
  [/^(NoSuchBucket|InvalidBucketName|InvalidBucketState)$/, missingBucket],
  [/NonExistentQueue$|^QueueDoesNotExist$|^InvalidAddress$/, missingQueue],
  [
    /^InvalidObjectState$/,
    'the object is archived: restore it, and keep lifecycle rules from archiving what may be read',
  ],
  [/^(NotImplemented|MethodNotAllowed)$/, 'the store does not know this call; use one that does'],
  [/CERT|SELF_SIGNED|^ERR_TLS|^EPROTO$/, certificate],
  [
    /^(TimeoutError|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENETDOWN|RequestTimeout)$/,
    noAnswer,
  ],
];

/** By the HTTP status, where the name says nothing. */
const byStatus: Readonly<Record<number, string>> = {
  401: wrongCredentials,
  429: throttled,
  501: 'the store does not know this call; use one that does',
  503: throttled,
};

/** What to do about a failed call; undefined where only time, or the service's own people, can help. */
export function remedyOf({ name, status, region }: SdkError, permission: string): string | undefined {
  if (
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(name)
  )
    return region === undefined ? 'name the right region in the config' : `name the region '${region}' in the config`;
  const named = byName.find(([pattern]) => pattern.test(name))?.[1];
  if (named !== undefined) return named;
  // The answer to a HEAD has no code.
  if ((status === 301 || status === 400) && region !== undefined) return `name the region '${region}' in the config`;
  if (status === 403 || name === 'AccessDenied') return `allow ${permission} to who runs this`;
  return status === undefined ? undefined : byStatus[status];
}
