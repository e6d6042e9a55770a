import type { Fault } from './fault.js';
import { answer } from './generic.js';

/** What a service says of its errors. There it may quote what it was given, so nobody is to show it. */
export const said = 'a fault of the test';

/** An error as S3 answers it: `s3Error(503, 'SlowDown')`, `s3Error(409, 'ConditionalRequestConflict')`. */
export function s3Error(status: number, code: string): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${said}</Message></Error>`;
  return answer(status, body, { 'content-type': 'application/xml' });
}

/** An error as SQS answers it: `sqsError(503, 'ServiceUnavailable')`, `sqsError(429, 'ThrottlingException')`. */
export function sqsError(status: number, code: string): Fault {
  return answer(status, JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: said }), {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-query-error': `${code};${status < 500 ? 'Sender' : 'Receiver'}`,
  });
}
