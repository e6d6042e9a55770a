import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a client meets: its target; connections that are reset; a host that takes all and answers nothing. */
type State = 'open' | 'cut' | 'halfOpen';

/**
 * A TCP server on a free port of 127.0.0.1 in front of one target, for what speaks no HTTP/1.1, as gRPC does. What it does, it does
 * to all of its connections; what is on the way in one call, it does not know.
 */
export class TcpProxy {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #target: URL;
  readonly #clients = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #state: State = 'open';
  #swallowed = 0;
  #refused = 0;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = new URL(target);
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (client) => this.#connected(client));
  }

  /** `target`: as stand-ins name themselves, `http://127.0.0.1:8085`. */
  static async start(target: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  /** Of clients, now open. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Bytes that were taken from clients and went nowhere. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Connections that were reset as soon as they came. */
  get refused(): number {
    return this.#refused;
  }

  /** Resets all connections, and those that come from now on. */
  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Connections stay and are taken, but nothing passes any more, in either direction, as where a host is gone. */
  halfOpen(): void {
    this.#state = 'halfOpen';
  }

  /** From now on all is well for connections that come; those that were half open are reset, as by a host that is back. */
  open(): void {
    if (this.#state === 'halfOpen') for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#state = 'open';
  }

  /** Resets all connections, and frees the port. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #connected(client: Socket): void {
    this.#watch(client);
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    if (this.#state === 'cut') {
      this.#refused++;
      client.resetAndDestroy();
      return;
    }
    const upstream =
      this.#state === 'open'
        ? connect({ host: this.#target.hostname, port: Number(this.#target.port), allowHalfOpen: true })
        : undefined;
    if (upstream !== undefined) this.#watch(upstream);
    this.#carry(client, upstream, (bytes) => (this.#swallowed += bytes));
    if (upstream !== undefined) this.#carry(upstream, client, () => undefined);
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => this.#sockets.delete(socket));
    // Resets are what this is for.
    socket.on('error', () => undefined);
  }

  /** No pipe: what comes once nothing passes must still be read. */
  #carry(from: Socket, to: Socket | undefined, onSwallowed: (bytes: number) => void): void {
    from.on('data', (bytes: Buffer) => {
      if (this.#state !== 'open' || to === undefined) onSwallowed(bytes.length);
      else if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => {
      if (this.#state === 'open') to?.end();
    });
    from.on('close', () => {
      if (this.#state !== 'halfOpen') to?.destroy();
    });
  }
}
