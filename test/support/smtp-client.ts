import { connect, type Socket } from 'node:net';

/** A client that sends commands one by one and waits for the whole reply to each. */
export class SmtpClient {
  private text = '';
  private isClosed = false;
  private wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      this.text += piece;
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** After the greeting. */
  static async connect(port: number, localAddress?: string): Promise<SmtpClient> {
    const client = new SmtpClient(connect({ port, host: '127.0.0.1', localAddress }));
    await client.reply();
    return client;
  }

  /** After EHLO. */
  static async open(port: number, localAddress?: string): Promise<SmtpClient> {
    const client = await SmtpClient.connect(port, localAddress);
    await client.send('EHLO relay.example');
    return client;
  }

  /** `closed` if there is none. */
  async reply(): Promise<string> {
    while (!/^\d{3} .*\r\n$/m.test(this.text)) {
      if (this.isClosed) return 'closed';
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const reply = this.text;
    this.text = '';
    return reply.trimEnd();
  }

  send(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`, 'latin1');
    return this.reply();
  }

  /** A whole transaction; `text` is dot-stuffed already. @returns the last reply */
  async letter(text: string, to: string, from = '<>'): Promise<string> {
    await this.send(`MAIL FROM:${from}`);
    const answer = await this.send(`RCPT TO:<${to}>`);
    if (!answer.startsWith('250')) {
      await this.send('RSET');
      return answer;
    }
    await this.send('DATA');
    return this.send(`${text}\r\n.`);
  }
}
