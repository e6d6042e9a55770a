import { CatchmentError, Unavailable, type ErrorPlace } from '../../errors.js';
import { remedyOf } from './sdk-remedies.js';

/** What a call of a client was to do, for who reads that it could not. */
export interface Asked {
  /** `writing raw/… to the bucket events`. */
  readonly doing: string;
  /** What a role must allow for it: `storage.objects.create`. */
  readonly permission: string;
}

/** What the errors of Google's clients have in common, by their shape: under Jest they come from another realm. */
export interface SdkError {
  /** The status or reason that the service gave, `NOT_FOUND`, `notFound`; the system's, `ECONNREFUSED`, where none answered. */
  readonly name: string;
  /** Of an answer over HTTP. */
  readonly status?: number;
  /** Of an answer over gRPC: 0 to 16. */
  readonly grpc?: number;
}

/** gRPC: "Status codes and their use in gRPC", by number. */
const grpcNames = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

/** Errors that Google's clients give no code, by how they begin. */
const byMessage: readonly (readonly [RegExp, string])[] = [
  [/^Could not load the default credentials/, 'CredentialsMissing'],
  [/^Unable to detect a Project Id/, 'ProjectUnknown'],
  // A file of another kind, or one that was cut off.
  [
    /^(The incoming JSON object does not|Unable to parse the subject_token|.*"?credential_source"?)/,
    'CredentialsUnreadable',
  ],
];

export function sdkError(error: unknown): SdkError {
  const { name, code, message, errors, status, response, cause } = (error ?? {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly cause?: { readonly code?: unknown };
    readonly errors?: unknown;
    readonly status?: unknown;
    readonly response?: { readonly status?: unknown; readonly data?: { readonly error?: unknown } };
  };
  const known = byMessage.find(([pattern]) => typeof message === 'string' && pattern.test(message))?.[1];
  if (known !== undefined) return { name: known };
  if (typeof code === 'number' && grpcNames[code] !== undefined) return { name: grpcNames[code], grpc: code };
  const http = [code, status, response?.status].map(Number).find((number) => number >= 100 && number < 600);
  // `invalid_grant`, of who gives out tokens.
  const reason =
    word(Array.isArray(errors) ? (errors as readonly { reason?: unknown }[])[0]?.reason : undefined) ??
    word(response?.data?.error);
  if (http !== undefined) return { name: reason ?? `HTTP ${http}`, status: http };
  // Where `fetch` fails, its cause alone says how.
  return { name: reason ?? word(code) ?? word(cause?.code) ?? word(name) ?? 'an unknown error' };
}

/**
 * The typed error of a failed call. Whatever an operator can mend is `Unavailable`, which is retried for ever, and says
 * what to do; what the client says itself is left out, since services quote what they were given.
 */
export function unavailable(error: unknown, { doing, permission }: Asked, where: ErrorPlace = {}): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const described = sdkError(error);
  const { name, status } = described;
  const answer = status === undefined || name === `HTTP ${status}` ? name : `${name} (HTTP ${status})`;
  const remedy = remedyOf(described, permission);
  return new Unavailable(`${doing}: ${answer}${remedy === undefined ? '' : `; ${remedy}`}`, where);
}

/** undefined for what is no name: text that a service sent is never shown. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:+/=-]{1,100}$/.test(value) ? value : undefined;
}
