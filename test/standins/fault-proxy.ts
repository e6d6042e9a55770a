import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { outcomeOf } from './faults/exchange.js';
import { CutHere } from './faults/fault.js';
import { Line } from './faults/line.js';
import { ActiveRule, type Rule, type Ruling } from './faults/rules.js';
import { Seen } from './faults/seen.js';
import { writeReply } from './faults/write-reply.js';

export interface FaultProxyOptions {
  /** Where requests go that no fault keeps: `http://127.0.0.1:9324`. */
  readonly target: string;
  /** Decides all that is left to chance; 1 unless given. */
  readonly seed?: number;
}

/**
 * An HTTP/1.1 server on a free port of 127.0.0.1 that passes what it gets to one target, and does the faults that its rules ask
 * for. A target that is away, dies or comes back looks to the client as it would without the proxy between: its connection
 * is destroyed. A client that goes away ends its request to the target.
 *
 * Requests pass unchanged, the `Host` that the client signed too, so the target must not be one that checks signatures
 * against its own address. The SDK's client of SQS must be given `endpoint: proxy.endpoint` in code: then it sends there
 * whatever host its queue URLs name, and they may stay those of the target. Without `endpoint` it follows the queue URLs,
 * unless `useQueueUrlAsEndpoint` is false.
 *
 * @example
 * const proxy = await FaultProxy.start({ target });
 * proxy.rule({ when: { operation: 'PutObject' }, share: 0.2, fault: s3Error(503, 'SlowDown') });
 * …
 * expect(proxy.seen.faults('503')).toBeGreaterThan(0);
 * await proxy.close();
 */
export class FaultProxy {
  readonly endpoint: string;
  readonly seen = new Seen();
  readonly #target: URL;
  readonly #server: Server;
  readonly #seed: number;
  readonly #sockets = new Set<Socket>();
  readonly #lines = new WeakMap<Socket, Line>();
  readonly #broken: unknown[] = [];
  #rules: ActiveRule[] = [];
  #made = 0;
  #away = false;

  private constructor(server: Server, { target, seed = 1 }: FaultProxyOptions) {
    this.#server = server;
    this.#target = new URL(target);
    this.#seed = seed;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => this.#connected(socket));
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('checkContinue', (request, response) => void this.#serve(request, response));
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    // The target alone decides how long a request may take and when an idle connection ends.
    const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, options);
  }

  /** Of clients, now open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** From now on. Where several rules choose a call, each fault has the later rules' behind it, as if that were its target. */
  rule(rule: Rule): Ruling {
    const active = new ActiveRule(rule, this.#seed + this.#made++);
    this.#rules.push(active);
    return {
      get happened() {
        return active.happened;
      },
      remove: () => void (this.#rules = this.#rules.filter((other) => other !== active)),
    };
  }

  /** The server is away until `clear`: every connection, old or new, is destroyed. Counts each as `away`. */
  goAway(): void {
    this.#away = true;
    for (const socket of this.#sockets) this.#destroyAway(socket);
  }

  /** No rule holds any more, and the server is there; calls that are held stay so. */
  clear(): void {
    this.#away = false;
    this.#rules = [];
  }

  /** Destroys every connection, and frees the port. Rejects where the code of a fault has failed. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    if (this.#broken.length > 0)
      throw new AggregateError(this.#broken, `faults have failed: ${String(this.#broken[0])}`);
  }

  #connected(socket: Socket): void {
    if (this.#away) {
      this.#destroyAway(socket);
      return;
    }
    this.#sockets.add(socket);
    this.#lines.set(socket, new Line(this.#target, socket));
    socket.once('close', () => this.#sockets.delete(socket));
    // Resets are what this is for; the client's own are nothing to report either.
    socket.on('error', () => undefined);
  }

  #destroyAway(socket: Socket): void {
    this.seen.noteFault('away', 1);
    socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    // A request that has failed no longer knows its socket.
    const { socket } = request;
    const line = this.#lines.get(socket)!;
    line.begin();
    try {
      const { signal } = gone;
      const common = { line, target: this.#target, rules: this.#rules, seen: this.seen, signal };
      const outcome = await outcomeOf({ request, response, ...common });
      // Silence lasts as long as this proxy does, whatever becomes of the target: the line does not end.
      if (outcome === 'hang') return;
      if (outcome === 'cut') socket.destroy();
      else await writeReply(outcome, response);
    } catch (error) {
      if (!(error instanceof CutHere) && !gone.signal.aborted) this.#broken.push(error);
      socket.destroy();
    }
    line.end();
  }
}
