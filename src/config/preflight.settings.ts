import { isIP } from 'node:net';
import { type PreflightMode, preflightModes } from '../domain/preflight';
import { oneOf, setting, text } from './setting';

const ok = <T>(value: T) => ({ ok: true as const, value });
const bad = (problem: string) => ({ ok: false as const, problem });
const listOf = (t: string) =>
  t
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
const HOST_PORT = /^(?:\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i;

/** The check before mailings go out, and what letters tell providers for complaints. */
export const preflightSettings = {
  preflight: setting<PreflightMode>({
    env: 'PREFLIGHT',
    about:
      'The check before mailings go out: warn (SPF, DKIM and DMARC that are wrong block mailings to 5,000 and more), ' +
      'strict (they block all), off (DNS, content and list are not looked at).',
    default: 'warn',
    parse: oneOf(...preflightModes),
  }),
  dnsServers: setting<readonly string[]>({
    env: 'DNS_SERVERS',
    about:
      "The DNS servers that the check asks: addresses, with a port if need be, separated by commas; empty: the system's.",
    default: [],
    parse: (t) => {
      const servers = listOf(t);
      const wrong = servers.find((one) => !isServer(one));
      return wrong === undefined ? ok(servers) : bad(`must be a comma list of IP addresses, but has "${wrong}"`);
    },
  }),
  sendingIps: setting<readonly string[]>({
    env: 'SENDING_IPS',
    about: 'The IP addresses from which letters leave, separated by commas; the check looks up their names (PTR).',
    default: [],
    parse: (t) => {
      const ips = listOf(t);
      const wrong = ips.find((one) => isIP(one) === 0);
      if (wrong !== undefined) return bad(`must be a comma list of IP addresses, but has "${wrong}"`);
      return ips.length <= 10 ? ok(ips) : bad('may have at most 10 addresses');
    },
  }),
  spamd: setting<string>({
    env: 'SPAMD',
    about: "SpamAssassin's spamd, host:783; the check asks it about the letters. Empty: it is not asked.",
    default: '',
    parse: (t) => (HOST_PORT.test(t) ? ok(t) : bad(`must be a host with a port, such as 127.0.0.1:783, but is "${t}"`)),
  }),
  feedbackSenderId: setting<string>({
    env: 'FEEDBACK_SENDER_ID',
    about:
      'The last field of Feedback-ID, by which Gmail knows the sender, 5 to 15 characters; empty: made of the domain ' +
      'in MAIL_FROM.',
    default: '',
    parse: (t) => (/^[\w.-]{5,15}$/.test(t) ? text(t) : bad(`must have 5 to 15 letters, digits or ._-, but is "${t}"`)),
  }),
} as const;

/** An IP address, with a port behind it (IPv6 in brackets then). */
function isServer(server: string): boolean {
  const bare = /^\[(.+)\](?::\d{1,5})?$/.exec(server)?.[1] ?? (isIP(server) ? server : server.replace(/:\d{1,5}$/, ''));
  return isIP(bare) !== 0;
}
