import { CatchmentError, Unavailable, type ErrorPlace } from '../../errors.js';
import { remedyOf } from './sdk-remedies.js';

/** What a call of the SDK was to do, for who reads that it could not. */
export interface Asked {
  /** `writing raw/… to the bucket events`. */
  readonly doing: string;
  /** What a policy must allow for it: `s3:PutObject`. */
  readonly permission: string;
}

/** What every client of ours is made with, so that no call of it waits for ever. */
export interface Patience {
  /** A request is given up after so long without an answer's head, the wait for a socket and the upload included. */
  readonly longestMs: number;
  /** A socket on which nothing moved for so long is half-open. Must be longer than a long poll waits. */
  readonly silenceMs: number;
}

/** As many as calls can be under way at once: a call that waits for a socket would count as one that gets no answer. */
const sockets = 256;
const connectMs = 10_000;

/** The SDK writes warnings on the console otherwise, some of them with what a request held. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {
  // Errors are thrown; nothing else that the SDK has to say is for the user.
}

/** Options of every client of the SDK; credentials, region and profile come from the SDK's own default chain. */
export function clientOptions({ longestMs, silenceMs }: Patience) {
  // It would warn on Node 20 in every process; the version that we depend on was made for it.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return {
    maxAttempts: 3,
    retryMode: 'standard',
    logger: silent,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: longestMs,
      throwOnRequestTimeout: true,
      socketTimeout: silenceMs,
      logger: silent,
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
  };
}

/** What the SDK's errors have in common, by their shape: under Jest they come from another realm. */
export interface SdkError {
  /** The service's code, `NoSuchKey`; the system's, `ECONNREFUSED`, where no service answered. */
  readonly name: string;
  readonly status?: number;
  readonly requestId?: string;
  /** Requests that were sent for the call. */
  readonly attempts: number;
  /** The region that the service says is the right one. */
  readonly region?: string;
}

export function sdkError(error: unknown): SdkError {
  const { name, code, message, $metadata, $response, Region } = (error ?? {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly $metadata?: { httpStatusCode?: unknown; requestId?: unknown; attempts?: unknown };
    readonly $response?: { headers?: Readonly<Record<string, unknown>> };
    readonly Region?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  const requestId = word($metadata?.requestId);
  const region = word(Region) ?? word($response?.headers?.['x-amz-bucket-region']);
  return {
    name: message === 'Region is missing' ? 'RegionMissing' : nameOf(name, code),
    attempts: typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1,
    ...(typeof status === 'number' && { status }),
    ...(requestId !== undefined && { requestId }),
    ...(region !== undefined && { region }),
  };
}

/**
 * The typed error of a failed call. Whatever an operator can mend is `Unavailable`, which is retried for ever, and says
 * what to do; what the SDK says itself is left out, since services quote what they were given.
 */
export function unavailable(error: unknown, { doing, permission }: Asked, where: ErrorPlace = {}): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const described = sdkError(error);
  const { name, status, requestId } = described;
  const facts = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  const answer = facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
  const remedy = remedyOf(described, permission);
  return new Unavailable(`${doing}: ${answer}${remedy === undefined ? '' : `; ${remedy}`}`, where);
}

/** Names that say nothing where there is a code. */
const plain = ['Error', 'AggregateError', 'TypeError', 'TimeoutError'];

function nameOf(name: unknown, code: unknown): string {
  const ofName = word(name);
  const ofCode = word(code);
  if (ofName !== undefined && !plain.includes(ofName)) return ofName;
  return ofCode ?? ofName ?? 'an unknown error';
}

/** undefined for what is no name or id: text that a service sent is never shown. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:+/=-]{1,100}$/.test(value) ? value : undefined;
}
