import { s3, sqs, type Lake, type Provider, type Queue } from 'catchment';

// What `AwsPlace` says in the environment of the processes that read such a config.
const { PLACE_SQS = '', PLACE_S3 = '', PLACE_NAME = '', PLACE_HELD } = process.env;

/** A queue of the place, with its dead letters. */
export function placeQueue(which: string): Provider<Queue> {
  const url = (name: string): string => `${PLACE_SQS}/000000000000/${PLACE_NAME}-${name}`;
  return sqs({
    queueUrl: url(which),
    deadLetterUrl: url(`${which}-dead`),
    ...(PLACE_HELD !== undefined && { heldMessages: Number(PLACE_HELD) }),
  });
}

/** The place's bucket, shared with who else is there. */
export function placeLake(): Provider<Lake> {
  return s3({ bucket: PLACE_NAME, prefix: 'lake', endpoint: PLACE_S3 });
}
