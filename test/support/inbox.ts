import { setTimeout as sleep } from 'node:timers/promises';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { AddressInfo } from 'node:net';

export interface ReceivedLetter {
  to: string;
  mail: ParsedMail;
  /** The token of the letter's link, if it has one. */
  token: string;
}

/** A mail server that keeps what it gets, so that a test can read its letters. */
export class Inbox {
  readonly letters: ReceivedLetter[] = [];
  /** How often the next letters are refused for now. */
  refuse = 0;
  /** Addresses that begin so are refused for good. */
  static readonly REFUSED = 'refused-';
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith(Inbox.REFUSED)) {
          done(Object.assign(new Error('5.1.1 No such mailbox here'), { responseCode: 550 }));
          return;
        }
        const refused = this.refuse > 0;
        if (refused) this.refuse--;
        done(refused ? Object.assign(new Error('4.3.0 not now'), { responseCode: 451 }) : undefined);
      },
      onData: (stream, session, done) => {
        void simpleParser(stream).then((mail) => {
          const token = /[?&]token=([\w-]+)/.exec(mail.text ?? '')?.[1] ?? '';
          this.letters.push({ to: session.envelope.rcptTo[0]?.address ?? '', mail, token });
          done();
        }, done);
      },
    });
  }

  static async start(): Promise<Inbox> {
    const inbox = new Inbox();
    await new Promise<void>((resolve) => inbox.server.listen(0, '127.0.0.1', resolve));
    return inbox;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  /** The `count`-th letter to this address, waited for. */
  async letterTo(address: string, count = 1): Promise<ReceivedLetter> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20)) {
      const letter = this.letters.filter(({ to }) => to === address)[count - 1];
      if (letter) return letter;
    }
    throw new Error(`Letter ${count} to ${address} did not come.`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
