import { gcs, pubsub, s3, sqs, type Lake, type Provider, type Queue } from 'catchment';

// What `CloudPlace` says in the environment of the processes that read such a config.
const { PLACE_NAME = '', PLACE_SQS, PLACE_HELD, PLACE_PUBSUB, PLACE_MONITORING, PLACE_S3 } = process.env;

/** A queue of the place, with its dead letters. */
export function placeQueue(which: string): Provider<Queue> {
  const [name, dead] = [`${PLACE_NAME}-${which}`, `${PLACE_NAME}-${which}-dead`];
  if (PLACE_SQS === undefined)
    return pubsub({
      topic: name,
      subscription: name,
      deadLetters: { topic: dead, subscription: dead },
      projectId: PLACE_NAME,
      endpoint: PLACE_PUBSUB!,
      monitoringEndpoint: PLACE_MONITORING!,
    });
  const url = (queue: string): string => `${PLACE_SQS}/000000000000/${queue}`;
  return sqs({
    queueUrl: url(name),
    deadLetterUrl: url(dead),
    ...(PLACE_HELD !== undefined && { heldMessages: Number(PLACE_HELD) }),
  });
}

/** The place's bucket, shared with who else is there. */
export function placeLake(): Provider<Lake> {
  const { PLACE_GCS } = process.env;
  return PLACE_S3 === undefined
    ? gcs({ bucket: PLACE_NAME, prefix: 'lake', projectId: 'tests', location: 'EU', endpoint: PLACE_GCS! })
    : s3({ bucket: PLACE_NAME, prefix: 'lake', endpoint: PLACE_S3 });
}
