import { z } from 'zod';

import { settingsOf } from '../../problems.js';
import { endpointOption, prefixOf, prefixOption } from '../store-options.js';

type StorageClass = 'STANDARD' | 'NEARLINE' | 'COLDLINE' | 'ARCHIVE';

/** Credentials are not among them: they are Google's application default credentials (attached service account, environment, gcloud). */
export interface GcsOptions {
  /** The bucket's name, unique in all of Google Cloud. `catchment provision` makes it. */
  readonly bucket: string;
  /**
   * What all keys begin with, for a bucket that is shared: `prefix: 'app'` puts objects under `app/raw/…`. Of
   * `A-Z a-z 0-9 ! - _ . * ' ( ) = /`, at most 512 long; default: none. Best never changed, like `bucket`.
   */
  readonly prefix?: string;
  /** The project in which `catchment provision` makes the bucket; default: that of the credentials, or `GOOGLE_CLOUD_PROJECT`. */
  readonly projectId?: string;
  /**
   * Where `catchment provision` makes the bucket, `europe-west1` or `EU`, best where the warehouse is. To move a bucket takes
   * long and costs, so there is no default: without it no bucket is made.
   */
  readonly location?: string;
  /**
   * The class of each object, and of a bucket that is made; default: as the bucket says, STANDARD for one that is made. In any
   * other each object is paid for 30 days at least, so it is nothing for `staging`.
   */
  readonly storageClass?: StorageClass;
  /**
   * The key of Cloud KMS that encrypts each object, `projects/p/locations/l/keyRings/r/cryptoKeys/k`; default: as the bucket
   * says, which is never less than a key of Google's own. The service agent of Cloud Storage needs
   * `roles/cloudkms.cryptoKeyEncrypterDecrypter` on it.
   */
  readonly kmsKeyName?: string;
  /**
   * The store's address where it is not Google's public one: a private endpoint, or a stand-in. Over plain `http` no
   * credentials are asked for or sent. Default: `STORAGE_EMULATOR_HOST`, which never gets credentials, or
   * `https://storage.googleapis.com`.
   */
  readonly endpoint?: string;
}

/** The options with their defaults; `prefix` is empty or ends with "/". */
export interface GcsSettings {
  readonly bucket: string;
  readonly prefix: string;
  readonly projectId?: string;
  readonly location?: string;
  readonly storageClass?: StorageClass;
  readonly kmsKeyName?: string;
  readonly endpoint?: string;
}

const notBucket =
  'is no name of a bucket; write 3 to 63 of a-z, 0-9, -, _ and ., without goog at its start or google in it';
const isBucket = (name: string): boolean =>
  /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name) &&
  (name.includes('.') || name.length <= 63) &&
  name.split('.').every((part) => part !== '' && part.length <= 63) &&
  !/^goog|g[o0]{2}gle|^\d+\.\d+\.\d+\.\d+$/.test(name);

const notKey = "is no key of Cloud KMS; write 'projects/p/locations/l/keyRings/r/cryptoKeys/k'";

export const gcsSchema = settingsOf(
  {
    bucket: z
      .string("a lake on Google Cloud Storage needs a bucket; write gcs({ bucket: 'my-events' })")
      .refine(isBucket, notBucket),
    prefix: prefixOption,
    projectId: z
      .string("is no project; write its id, 'my-project'")
      .regex(/^[a-z0-9][a-z0-9:.-]{2,100}$/, "is no project; write its id, 'my-project'")
      .optional(),
    location: z
      .string("is no location; write one such as 'europe-west1'")
      .regex(/^[A-Za-z0-9-]{2,40}$/, "is no location; write one such as 'europe-west1'")
      .optional(),
    storageClass: z
      .enum(['STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE'], 'write STANDARD, NEARLINE, COLDLINE or ARCHIVE')
      .optional(),
    kmsKeyName: z
      .string(notKey)
      .regex(/^projects\/[\w:.-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/, notKey)
      .optional(),
    endpoint: endpointOption('http://127.0.0.1:4443'),
  },
  "are no options of Google Cloud Storage; write gcs({ bucket: 'my-events' })",
).transform(({ prefix, ...given }): GcsSettings => ({ ...given, prefix: prefixOf(prefix) }));
