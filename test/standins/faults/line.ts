import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { CutHere, type Outcome } from './fault.js';

export interface Passed {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: readonly string[];
  readonly signal: AbortSignal;
  /** The target asks for the body that the client holds back (`Expect: 100-continue`). */
  readonly onContinue: () => void;
  readonly send: (request: ClientRequest) => void;
}

/**
 * The connection to the target that belongs to one connection of a client: when the target closes the one, the other closes
 * too. With shared connections a client could meet the end of an idle one that it had no part in, a fault nobody asked for.
 */
export class Line {
  readonly #target: URL;
  readonly #client: Socket;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #known = new WeakSet<Socket>();
  #busy = false;
  #closed = false;

  constructor(target: URL, client: Socket) {
    this.#target = target;
    this.#client = client;
    client.once('close', () => this.#agent.destroy());
  }

  /** Until `end` the client's connection stays; a reply may still be on the way to it. */
  begin(): void {
    this.#busy = true;
  }

  end(): void {
    this.#busy = false;
    if (this.#closed) this.#client.end();
  }

  /** `cut` when the target cannot be reached, or goes away before it has answered. */
  pass({ method, url, headers, signal, onContinue, send }: Passed): Promise<Outcome> {
    return new Promise((resolve) => {
      const { hostname, port } = this.#target;
      const outgoing = request({ hostname, port, method, path: url, headers, signal, agent: this.#agent });
      outgoing.on('error', () => resolve('cut'));
      outgoing.once('socket', (socket: Socket) => this.#watch(socket));
      outgoing.once('continue', onContinue);
      outgoing.once('response', (incoming: IncomingMessage) => {
        const { statusCode, statusMessage, rawHeaders } = incoming;
        resolve({ status: statusCode!, statusText: statusMessage!, headers: rawHeaders, body: received(incoming) });
      });
      send(outgoing);
    });
  }

  #watch(socket: Socket): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    socket.once('close', () => {
      this.#closed = true;
      if (!this.#busy) this.#client.end();
    });
  }
}

/** A target that goes away in the middle of its reply does so to the client too. */
async function* received(incoming: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* incoming as AsyncIterable<Buffer>;
  } catch (error) {
    throw new CutHere('the target has gone away', { cause: error });
  }
}
