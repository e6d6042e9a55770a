import { LakeNotFound, type CatchmentError } from '../../errors.js';
import { checkKey, longestKey, refused } from '../lake-keys.js';
import { Credentials } from './gcs-auth.js';
import { Calls } from './gcs-calls.js';
import type { Patience } from './gcs-http.js';
import type { GcsSettings } from './gcs-options.js';
import { paceOf } from './gcs-pace.js';
import { unavailable } from './sdk.js';

/** The largest object, 64 MB, takes a slow line minutes; a socket on which nothing moves is found out much sooner. */
const usual: Patience = { longestMs: 300_000, silenceMs: 30_000 };

/** A bucket as every call of the lake needs it. */
export class Bucket {
  readonly settings: GcsSettings;
  readonly name: string;
  /** What all keys begin with; empty or with a "/" at its end. */
  readonly prefix: string;
  readonly uri: string;
  readonly calls: Calls;
  /** Undefined where none are to be asked for. */
  readonly credentials: Credentials | undefined;

  constructor(settings: GcsSettings, patience: Patience = usual) {
    this.settings = settings;
    this.name = settings.bucket;
    this.prefix = settings.prefix;
    this.uri = `gs://${this.name}/${this.prefix}`.replace(/\/$/, '');
    const { endpoint, isOpen } = endpointOf(settings.endpoint);
    this.credentials = isOpen ? undefined : new Credentials(patience.silenceMs);
    const pace = paceOf(`${endpoint}/${this.name}`);
    this.calls = new Calls({ endpoint, credentials: this.credentials, pace, patience });
  }

  /** Of the bucket itself, and what lies behind it. */
  get path(): string {
    return `/storage/v1/b/${this.name}`;
  }

  /** The object's name, beneath the prefix. Throws `LakeKeyRefused`. */
  at(key: string): string {
    checkKey(key, longestKey - Buffer.byteLength(this.prefix));
    if (/[\r\n]/.test(key)) throw refused(key, 'holds a line break, which Google Cloud Storage does not take');
    const name = this.prefix + key;
    if (name.startsWith('.well-known/acme-challenge/'))
      throw refused(key, 'begins with ".well-known/acme-challenge/", which Google Cloud Storage does not take');
    return name;
  }

  objectPath(key: string): string {
    return `${this.path}/o/${encodeURIComponent(this.at(key))}`;
  }

  /** `doing`: `writing raw/…`. */
  failure(error: unknown, doing: string, permission: string, key?: string): CatchmentError {
    const where = key === undefined ? {} : { key };
    return unavailable(error, { doing: `${doing} (${this.uri})`, permission }, where);
  }

  notFound(key: string): LakeNotFound {
    return new LakeNotFound(`the lake has no object ${key}`, { key });
  }
}

/** `isOpen`: no credentials belong there. */
function endpointOf(given: string | undefined): { endpoint: string; isOpen: boolean } {
  const emulator = process.env['STORAGE_EMULATOR_HOST'] ?? '';
  const without = (url: string): string => url.replace(/\/+$/, '');
  if (given !== undefined) return { endpoint: without(given), isOpen: new URL(given).protocol === 'http:' };
  if (emulator === '') return { endpoint: 'https://storage.googleapis.com', isOpen: false };
  return { endpoint: without(/^https?:\/\//.test(emulator) ? emulator : `http://${emulator}`), isOpen: true };
}
