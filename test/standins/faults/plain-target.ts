import { once } from 'node:events';
import { createServer, request, type Agent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { wholeBody } from './fault.js';

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  body: string;
}

/** A server for tests of the proxy: it echoes, but never answers `/never`, answers `/early` at once, `/head` without a body, and never ends its answer to `/half`. */
export interface PlainTarget {
  readonly endpoint: string;
  readonly requests: Got[];
  /** Requests that ended before they were answered. */
  readonly aborted: number;
  readonly connections: number;
  closeIdle(): void;
  /** As SIGKILL looks from without. */
  kill(): Promise<void>;
  /** On the same port. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

export async function plainTarget(): Promise<PlainTarget> {
  const requests: Got[] = [];
  const sockets = new Set<Socket>();
  const counts = { aborted: 0, connections: 0 };
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    const got: Got = { method, url, headers, body: '' };
    requests.push(got);
    response.once('close', () => (counts.aborted += response.writableFinished ? 0 : 1));
    if (url === '/never') return;
    if (url === '/head') {
      response.writeHead(200).flushHeaders();
      return;
    }
    if (url === '/early') {
      response.writeHead(413).end();
      return;
    }
    response.writeHead(url.startsWith('/half') ? 200 : 201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
    if (url.startsWith('/half')) {
      response.write('half');
      return;
    }
    void wholeBody(incoming).then((body) => {
      if (body.length < 1_000) got.body = String(body);
      response.end(body);
    });
  });
  server.on('connection', (socket) => {
    counts.connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const kill = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  const port = await listen(0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    get aborted() {
      return counts.aborted;
    },
    get connections() {
      return counts.connections;
    },
    closeIdle: () => server.closeIdleConnections(),
    kill,
    async again() {
      await listen(port);
    },
    stop: kill,
  };
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
  readonly onHead?: (status: number) => void;
  readonly onData?: (chunk: Buffer) => void;
}

/** One request, which rejects as node:http's errors do. */
export async function send(
  url: string,
  { body, onHead, onData, ...options }: Sent = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const outgoing = request(url, options);
  if (options.headers?.expect === undefined) outgoing.end(body);
  else outgoing.once('continue', () => outgoing.end(body));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  onHead?.(incoming.statusCode!);
  if (onData !== undefined) incoming.on('data', onData);
  return { status: incoming.statusCode!, headers: incoming.headers, body: await wholeBody(incoming) };
}
