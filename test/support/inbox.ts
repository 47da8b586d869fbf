import { setTimeout as sleep } from 'node:timers/promises';
import { type ParsedMail, simpleParser } from 'mailparser';
import { type Action, SmtpServer, type Step } from './smtp-server';

export interface ReceivedLetter {
  to: string;
  mail: ParsedMail;
  /** The token of the letter's link, if it has one. */
  token: string;
}

const REFUSE: Action = { do: 'reply', text: '550 5.2.2 The mailbox is full' };
const NOT_NOW: Action = { do: 'reply', text: '451 4.3.0 not now' };

/** The scripted server, keeping what it gets so that a test can read its letters. */
export class Inbox {
  readonly letters: ReceivedLetter[] = [];
  /** How often the next letters are refused for now. */
  refuse = 0;
  /** Addresses that begin so are refused, and not excluded for it: their letters can be sent again. */
  static readonly REFUSED = 'refused-';

  private constructor(private readonly server: SmtpServer) {
    server.rule = (address, step) => this.answer(address, step);
    server.keep = async ([to = ''], letter) => {
      const mail = await simpleParser(letter);
      this.letters.push({ to, mail, token: /[?&]token=([\w-]+)/.exec(mail.text ?? '')?.[1] ?? '' });
    };
  }

  static async start(): Promise<Inbox> {
    return new Inbox(await SmtpServer.start({ pipelining: true, eightBitMime: true, smtpUtf8: true }));
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.server.port}`;
  }

  /** The `count`-th letter to this address, waited for. */
  async letterTo(address: string, count = 1): Promise<ReceivedLetter> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) {
      const letter = this.letters.filter(({ to }) => to === address)[count - 1];
      if (letter) return letter;
    }
    throw new Error(`Letter ${count} to ${address} did not come.`);
  }

  close(): Promise<void> {
    return this.server.stop();
  }

  /** All else is taken, whatever an address would ask of the scripted server. */
  private answer(address: string, step: Step): Action {
    if (step !== 'rcpt') return { do: 'accept' };
    if (address.startsWith(Inbox.REFUSED)) return REFUSE;
    if (this.refuse === 0) return { do: 'accept' };
    this.refuse--;
    return NOT_NOW;
  }
}
