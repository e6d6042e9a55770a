import { LakeKeyRefused } from '../errors.js';

/** At a folder's root, for what is no object: no key begins with it, in any lake, and no listing shows it. */
export const reservedFolder = '.catchment-lake';

/** The longest key of S3 and GCS, in UTF-8 bytes: a key that is good in one lake is good in all. */
export const longestKey = 1_024;
/** NAME_MAX of every common file system, in bytes. */
const longestSegment = 255;

/**
 * Throws `LakeKeyRefused` for a key that no object can have, above all for one that would lead out of the lake. `longest`:
 * in bytes, where the store puts something in front of its own.
 */
export function checkKey(key: string, longest = longestKey): void {
  const problem = problemOf(key, longest) ?? problemOfFolder(key) ?? (key.endsWith('/') ? 'ends with "/"' : undefined);
  if (problem !== undefined) throw refused(key, problem);
}

/** The folder part of a listing's prefix, which need not end at a "/". Throws `LakeKeyRefused`. */
export function folderOfPrefix(prefix: string): string {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const problem = folder === '' ? undefined : (problemOf(folder, longestKey) ?? problemOfFolder(folder));
  if (problem !== undefined) throw refused(prefix, problem);
  return folder;
}

export function refused(key: string, problem: string): LakeKeyRefused {
  const shown = JSON.stringify(key.length > 200 ? `${key.slice(0, 200)}…` : key);
  return new LakeKeyRefused(`the lake takes no key ${shown}: it ${problem}`, { key: key.slice(0, longestKey) });
}

function problemOf(key: string, longest: number): string | undefined {
  if (key === '') return 'is empty';
  // A lone surrogate becomes U+FFFD on disk: two keys, one file.
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  if (key.includes('\0')) return 'holds a NUL';
  if (Buffer.byteLength(key) > longest) return `is longer than ${longest} bytes`;
  return undefined;
}

function problemOfFolder(key: string): string | undefined {
  const segments = key.split('/');
  if (key.endsWith('/')) segments.pop();
  if (segments[0] === reservedFolder) return `begins with "${reservedFolder}", which is the lake's own`;
  for (const segment of segments) {
    if (segment === '') return 'has an empty part between two "/", or begins with one';
    if (segment === '.' || segment === '..') return `has the part "${segment}"`;
    if (Buffer.byteLength(segment) > longestSegment) return `has a part longer than ${longestSegment} bytes`;
  }
  return undefined;
}
