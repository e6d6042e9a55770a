import type { IncomingMessage } from 'node:http';

import { CutHere, wholeBody, type Call } from './fault.js';
import { gcsOperationOf } from './gcs-operations.js';

export interface ReadCall extends Call {
  /** Whether somebody has asked for the body: then it can no longer be streamed. */
  readonly wasRead: boolean;
}

/** A request as rules and faults see it. `onRead`: the client may hold the body back until it is asked for. */
export function callOf(request: IncomingMessage, signal: AbortSignal, onRead: () => void): ReadCall {
  const { pathname, searchParams } = new URL(request.url!, 'http://proxy');
  let body: Promise<Buffer> | undefined;
  const read = async (): Promise<Buffer> => {
    onRead();
    try {
      return await wholeBody(request);
    } catch (error) {
      throw new CutHere('the client has gone away', { cause: error });
    }
  };
  return {
    method: request.method!,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    operation: operationOf(request, pathname, searchParams),
    signal,
    body: () => (body ??= read()),
    get wasRead() {
      return body !== undefined;
    },
  };
}

/** As AWS's JSON protocols, its SDK's client of S3 and Cloud Storage name it; others' requests go by their method. */
function operationOf(request: IncomingMessage, path: string, query: URLSearchParams): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.indexOf('.') + 1);
  return query.get('x-id') ?? gcsOperationOf(request.method!, path, query) ?? request.method!;
}
