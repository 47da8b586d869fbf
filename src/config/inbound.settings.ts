import { parseReturnAddress } from '../domain/bounce-address';
import { parseEmailAddress } from '../domain/email-address';
import { parseOauth } from '../mailbox/access-tokens';
import { mailboxUrlProblem } from '../mailbox/mailbox-url';
import { integer, setting, text, url } from './setting';

/** An address and a port to listen at. */
export interface ListenAt {
  host: string;
  port: number;
}

/** `host:port`, or a port alone for this machine; null for anything else. */
export function listenAt(text: string): ListenAt | null {
  const [, host, port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  if (port === '' || Number(port) > 65_535) return null;
  return { host: host?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port: Number(port) };
}

/** Letters that come back. */
export const inboundSettings = {
  bounceAddress: setting<string>({
    env: 'BOUNCE_ADDRESS',
    about:
      'Where letters come back to: bounces@news.example.org (each letter then has bounces+TOKEN@news.example.org as its ' +
      'envelope sender) or *@b.example.org (TOKEN@b.example.org). What arrives there must reach this service: ' +
      'see docs/inbound.md. Empty: the address of MAIL_FROM, and mail programs are offered no unsubscribing by mail.',
    default: '',
    parse: (t) =>
      parseReturnAddress(t) === null
        ? { ok: false, problem: `must be name@domain or *@domain, but is "${t}"` }
        : { ok: true, value: t.trim() },
  }),
  feedbackAddress: setting<string>({
    env: 'FBL_ADDRESS',
    about:
      'The address for complaints, if any: feedback loops of mailbox providers report there, and letters name it (CFBL-Address) ' +
      'if it is of the domain in MAIL_FROM or of one below it. What arrives there must reach this service.',
    default: '',
    parse: (t) => {
      const parsed = parseEmailAddress(t);
      return parsed.ok
        ? { ok: true, value: parsed.email.toLowerCase() }
        : { ok: false, problem: `must be an address, but is "${t}"` };
    },
  }),
  inboundListen: setting<string>({
    env: 'INBOUND_LISTEN',
    about:
      'Where each API process receives letters that come back, by SMTP: 0.0.0.0:2525, or a port alone for this machine. ' +
      'Only addresses that this service gave out are accepted. Empty: nowhere.',
    default: '',
    parse: (t) =>
      listenAt(t) === null ? { ok: false, problem: `must be host:port, but is "${t}"` } : { ok: true, value: t.trim() },
  }),
  inboundTlsCert: setting<string>({
    env: 'INBOUND_TLS_CERT',
    about:
      'The file of the certificate (PEM, with its chain) by which INBOUND_LISTEN offers STARTTLS; read again when it ' +
      'changes. Empty: no TLS is offered.',
    default: '',
    parse: text,
  }),
  inboundTlsKey: setting<string>({
    env: 'INBOUND_TLS_KEY',
    about: 'The file of its private key (PEM).',
    default: '',
    parse: text,
  }),
  bounceMailboxUrl: setting<string>({
    env: 'BOUNCE_MAILBOX_URL',
    about:
      'A mailbox that is read by IMAP for letters that come back: imaps://user:password@host/INBOX, or imap://…, which needs ' +
      'STARTTLS unless the host is this machine or the URL ends in ?allowPlainLogin=true. Other options: ' +
      'rejectUnauthorized=false, servername. Empty: none.',
    default: '',
    secret: true,
    parse: url(mailboxUrlProblem),
  }),
  bounceMailboxOauth: setting<string>({
    env: 'BOUNCE_MAILBOX_OAUTH',
    about:
      'How the login to that mailbox gets its tokens, instead of a password: tokenUrl,clientId,secret,refreshToken. Without a ' +
      'refresh token (the text ends in a comma) the application logs in by itself, as Microsoft 365 allows.',
    default: '',
    secret: true,
    parse: (t) =>
      parseOauth(t) === null
        ? {
            ok: false,
            problem: 'must be tokenUrl,clientId,secret,refreshToken with a tokenUrl that begins with https://',
          }
        : { ok: true, value: t.trim() },
  }),
  inboundKeepDays: setting<number>({
    env: 'INBOUND_KEEP_DAYS',
    about: 'For how many days incoming letters are kept; what they led to stays.',
    default: 30,
    parse: integer(1, 3_650),
  }),
} as const;
