import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A server that answers as spamd does, once it has the letter; an answer that is null is never given. */
export class FakeSpamd {
  /** What it was asked, as it came. */
  readonly asked: string[] = [];

  private constructor(
    private readonly answer: string | null,
    readonly address: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(answer: string | null): Promise<FakeSpamd> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (piece) => {
        text += piece.toString('latin1');
        const [head = '', ...body] = text.split('\r\n\r\n');
        const length = Number(/^Content-length: (\d+)$/im.exec(head)?.[1]);
        if (body.join('\r\n\r\n').length < length) return;
        started.asked.push(text);
        if (started.answer !== null) socket.end(started.answer, 'latin1');
      });
      sockets.add(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const started = new FakeSpamd(answer, `127.0.0.1:${port}`, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return started;
  }
}
