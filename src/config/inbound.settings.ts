import { parseReturnAddress } from '../domain/bounce-address';
import { parseEmailAddress } from '../domain/email-address';
import { integer, setting } from './setting';

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
  inboundKeepDays: setting<number>({
    env: 'INBOUND_KEEP_DAYS',
    about: 'For how many days incoming letters are kept; what they led to stays.',
    default: 30,
    parse: integer(1, 3_650),
  }),
} as const;
