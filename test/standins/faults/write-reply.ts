import type { ServerResponse } from 'node:http';

import { CutHere, type Reply } from './fault.js';

/** Each chunk has left this process before the next is asked for: what a body gives before it is cut does reach the client. */
export async function writeReply(
  { status, statusText, headers, body }: Reply,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(status, statusText, [...headers]);
  if (Buffer.isBuffer(body)) return finish(response, body);
  response.flushHeaders();
  for await (const chunk of body) await write(response, chunk);
  await finish(response);
}

function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    // A client that resets its connection is found out here, before `close` tells of it.
    response.write(chunk, (error) =>
      error ? reject(new CutHere('the client has gone away', { cause: error })) : resolve(),
    );
  });
}

function finish(response: ServerResponse, last?: Buffer): Promise<void> {
  return new Promise((resolve) => {
    // The client may be gone by now; then it never finishes.
    response.once('close', resolve);
    response.end(last, resolve);
  });
}
