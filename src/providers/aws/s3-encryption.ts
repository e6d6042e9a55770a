import type { PutObjectCommandInput } from '@aws-sdk/client-s3';

import type { S3Settings } from './s3-options.js';

type Encryption = S3Settings['encryption'];

/** What a put asks for; nothing, where the bucket is to decide. */
export function encryptionOf(encryption: Encryption): Partial<PutObjectCommandInput> {
  if (encryption === undefined) return {};
  if (encryption === 's3') return { ServerSideEncryption: 'AES256' };
  const { kmsKeyId } = encryption;
  // A bucket key saves a call of KMS for each object.
  return {
    ServerSideEncryption: 'aws:kms',
    BucketKeyEnabled: true,
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
  };
}

/**
 * What the store says is no weaker than what is asked. A key may be asked for by its id, its alias or its ARN, and the
 * store may answer with its ARN: whose alias is that cannot be seen.
 */
export function isAsAsked(encryption: Encryption, algorithm: string | undefined, key: string | undefined): boolean {
  if (typeof encryption !== 'object') return algorithm !== undefined;
  const { kmsKeyId } = encryption;
  const isKey = kmsKeyId === undefined || kmsKeyId.includes('alias/') || (key ?? '').endsWith(kmsKeyId);
  return isKey && algorithm?.startsWith('aws:kms') === true;
}

/** For people: "SSE-KMS, the key aws/s3". */
export function describeEncryption(encryption: Encryption): string {
  return typeof encryption === 'object' ? `SSE-KMS, ${encryption.kmsKeyId ?? 'the key aws/s3'}` : 'SSE-S3';
}
