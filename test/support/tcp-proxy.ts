import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of the connections that are there when the address moves to another server. */
export type Old = 'break' | 'hang' | 'keep';

/** One address before a server, which may move to another one: a virtual IP, a name, a load balancer. */
export class TcpProxy {
  private readonly pairs = new Set<[Socket, Socket]>();

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {}

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer((socket) => proxy.accept(socket));
    const proxy = new TcpProxy(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The same URL, by way of this proxy. */
  before(url: string): string {
    const own = new URL(url);
    own.port = String(this.port);
    return own.href;
  }

  /** New connections go to this port; old ones break, get no byte any more and no end, or go on as they were. */
  move(target: number, old: Old): void {
    this.target = target;
    for (const pair of this.pairs) {
      if (old === 'break') for (const socket of pair) socket.destroy();
      if (old === 'hang') for (const socket of pair) socket.unpipe().pause();
    }
  }

  async stop(): Promise<void> {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, upstream];
    this.pairs.add(pair);
    client.pipe(upstream).pipe(client);
    const over = () => {
      this.pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', over).on('close', over);
  }
}
