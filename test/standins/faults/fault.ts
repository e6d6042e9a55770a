import type { IncomingHttpHeaders } from 'node:http';

/** A request that a client made of the proxy. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** What it asks for: `SendMessageBatch`, `PutObject`, `insertObject`; where the request does not name it, its method. */
  readonly operation: string;
  /** Aborted when the client has gone away, or the proxy closes. */
  readonly signal: AbortSignal;
  /** Reads the whole body into memory, once; what is not read here is streamed to the target. */
  body(): Promise<Buffer>;
}

/** What a server answers. A body that throws `CutHere` ends with the connection destroyed. */
export interface Reply {
  readonly status: number;
  readonly statusText?: string;
  /** Names and values in turn, as node:http has them: what is passed on stays as it was, repeated names too. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Buffer> | Buffer;
}

/** What the client sees: a reply, the connection destroyed, or nothing at all while its socket stays open. */
export type Outcome = Reply | 'cut' | 'hang';

export class CutHere extends Error {}

/** What a fault is given beside the call. */
export interface Around {
  /**
   * To the next rule's fault that chose this call too, or to the target; `body` takes the place of the client's, and headers
   * whose names, in lower case, match `lost` do not get there.
   */
  readonly next: (body?: Buffer, lost?: RegExp) => Promise<Outcome>;
  /** A request of the proxy's own to the target, which no rule sees and no client knows of. */
  readonly ask: (headers: Readonly<Record<string, string>>, body: Buffer) => Promise<{ status: number; body: Buffer }>;
  /** Says that the fault really happened, so often; being chosen is not enough. */
  readonly happened: (times?: number) => void;
  /** In [0, 1), by the proxy's seed. */
  readonly random: () => number;
}

export interface Fault {
  /** By which `seen` counts it. */
  readonly name: string;
  run(call: Call, around: Around): Promise<Outcome>;
}

export async function wholeBody(body: Reply['body']): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
