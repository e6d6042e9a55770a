import { z } from 'zod';

import { settingsOf } from '../../problems.js';
import { endpointOption, prefixOf, prefixOption } from '../store-options.js';

/** Credentials are not among them: they come from the SDK's own chain (environment, profile, role of the machine). */
export interface S3Options {
  /** The bucket's name. `catchment provision` makes it. A directory bucket (S3 Express) will not do: it lists in no order. */
  readonly bucket: string;
  /**
   * What all keys begin with, for a bucket that is shared: `prefix: 'app'` puts objects under `app/raw/…`. Of
   * `A-Z a-z 0-9 ! - _ . * ' ( ) = /`, at most 512 long; default: none. Best never changed, like `bucket`.
   */
  readonly prefix?: string;
  /** The bucket's region, `eu-west-1`; default: what the SDK finds, `AWS_REGION` or the profile's. */
  readonly region?: string;
  /**
   * The store's address where it is not AWS's own, `http://127.0.0.1:8333`: a store with the same API, or an endpoint of a
   * VPC; default: AWS's of the region, or what the SDK finds in `AWS_ENDPOINT_URL_S3`.
   */
  readonly endpoint?: string;
  /**
   * Whether the bucket's name stands in the path, not in the host's name, which most stores but AWS want; default: true
   * with an `endpoint`, else false.
   */
  readonly pathStyle?: boolean;
  /**
   * How the store encrypts each object: with keys of its own ('s3': SSE-S3), or with one of KMS (SSE-KMS), by default the
   * account's `aws/s3`; default: as the bucket says, which on AWS is never less than SSE-S3. With KMS, who writes needs
   * `kms:GenerateDataKey`, who reads `kms:Decrypt`.
   */
  readonly encryption?: 's3' | { readonly kmsKeyId?: string };
}

/** The options with their defaults; `prefix` is empty or ends with "/". */
export interface S3Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly pathStyle: boolean;
  readonly encryption?: 's3' | { readonly kmsKeyId?: string };
}

const encryption = z.union(
  [
    z.literal('s3'),
    settingsOf(
      {
        kmsKeyId: z
          .string()
          .regex(/^[\w:/+=,.@-]{1,2048}$/)
          .optional(),
      },
      'is no encryption',
    ),
  ],
  "is no encryption; write 's3', {} or { kmsKeyId: 'arn:aws:kms:…' }",
);

export const s3Schema = settingsOf(
  {
    bucket: z
      .string("an S3 lake needs a bucket; write s3({ bucket: 'my-events' })")
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of a bucket; write 3 to 63 of a-z, 0-9, - and .')
      .refine((name) => !name.endsWith('--x-s3'), 'is a directory bucket, which lists in no order; name a general one'),
    prefix: prefixOption,
    region: z
      .string("is no region; write one such as 'eu-west-1'")
      .regex(/^[a-z0-9-]{1,40}$/, "is no region; write one such as 'eu-west-1'")
      .optional(),
    endpoint: endpointOption('http://127.0.0.1:8333'),
    pathStyle: z.boolean('write true or false').optional(),
    encryption: encryption.optional(),
  },
  "are no options of S3; write s3({ bucket: 'my-events' })",
).transform(({ prefix, pathStyle, ...given }): S3Settings => ({
  ...given,
  prefix: prefixOf(prefix),
  pathStyle: pathStyle ?? given.endpoint !== undefined,
}));
