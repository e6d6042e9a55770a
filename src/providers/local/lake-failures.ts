import { CatchmentError, LakeKeyRefused, Unavailable } from '../../errors.js';

/** The system's code of a failed call, `ENOENT`. By its shape: an error may come from another realm, as under Jest. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What a person can do about it; the call is retried until then. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space or raise it',
  EACCES: 'give this user the right to read and write there',
  EPERM: 'give this user the right to read and write there',
  EROFS: 'the file system is read-only: mount it for writing',
  EIO: 'the disk fails: look at the system log',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  ENFILE: 'too many open files in the whole system: raise the limit',
  ENOENT: 'something removes folders of the lake while it is used: stop that',
  ESTALE: 'the mount has gone stale: mount it again',
  ENOTCONN: 'the mount has lost its server: mount it again',
};

/** The typed error of a failed call of the file system. `doing`: `writing raw/…`. */
export function failure(error: unknown, doing: string, path: string): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const code = codeOf(error) ?? 'an unknown error';
  if (code === 'ENAMETOOLONG') return new LakeKeyRefused(`${doing}: the name is too long for ${path}`, { path });
  const remedy = remedies[code];
  return new Unavailable(`${doing}: ${code} at ${path}${remedy === undefined ? '' : `; ${remedy}`}`, { path });
}
