import type { PreparedDkim } from './dkim';
import { dkimRecord, dkimRecordName, isRecordOf, rsaBits } from './dkim-record';
import { type Dmarc, isAligned, organisationOf, readDmarc } from './dmarc';
import { type Answer, type Asked, type Lookup, noted } from './lookup';
import { readSpf, type Spf } from './spf';

/** What letters go out as, and by which way. */
export interface SenderSetup {
  /** From's domain, in lower case. */
  domain: string;
  /** The envelope's. */
  envelope: string;
  keys: readonly PreparedDkim[];
  relay: { host: string; isPrivate: boolean; needsTls: boolean };
  /** Where receivers send complaints to, if an address is set, and whether letters can name it. */
  complaints: { address: string; usable: boolean } | null;
  /** Addresses from which letters leave, as far as they are set. */
  ips: readonly string[];
}

export interface KeyFacts {
  name: string;
  /** What is to be published. */
  record: string;
  /** Whether it is published; null if nobody answered. */
  state: 'right' | 'different' | 'missing' | null;
  /** Null for a key that is not RSA. */
  rsaBits: number | null;
}

/** What DNS says about the sender of letters. */
export interface SenderFacts {
  setup: SenderSetup;
  spf: Spf;
  keys: KeyFacts[];
  /** Undefined: there is none; null: nobody answered. */
  dmarc: Dmarc | undefined | null;
  /**
   * Whether the domain of the signatures vouches for From's, and that of the envelope. Null: nothing is signed here, and
   * whether the relay signs is not known.
   */
  aligned: { dkim: boolean | null; envelope: boolean };
  /** Whether answers to From can arrive; null if nobody answered. */
  takesMail: boolean | null;
  ips: { ip: string; names: Answer; confirmed: boolean | null }[];
  /** All questions, in the order of their answers. */
  asked: Asked[];
}

/** Asks DNS about a sender, at most about 50 questions. */
export async function examineSender(setup: SenderSetup, dns: Lookup): Promise<SenderFacts> {
  const { domain, envelope } = setup;
  const { lookup, asked } = noted(dns);
  const [spf, keys, dmarc, takesMail, ips] = await Promise.all([
    readSpf(envelope, lookup.txt),
    Promise.all(setup.keys.map((key) => keyFacts(key, lookup))),
    readDmarc(domain, lookup.txt),
    readMail(domain, lookup),
    Promise.all(setup.ips.map((ip) => ipFacts(ip, lookup))),
  ]);
  const { strictDkim = false, strictSpf = false } = dmarc ?? {};
  const aligned = {
    dkim: setup.keys.length === 0 ? null : setup.keys.some((key) => isAligned(key.domain, domain, strictDkim)),
    envelope: isAligned(envelope, domain, strictSpf),
  };
  return { setup, spf, keys, dmarc, aligned, takesMail, ips, asked };
}

/** The name of a domain's DMARC record that is to be published. */
export const dmarcName = (domain: string): string => `_dmarc.${organisationOf(domain)}`;

async function keyFacts(key: PreparedDkim, lookup: Lookup): Promise<KeyFacts> {
  const name = dkimRecordName(key);
  const found = await lookup.txt(name);
  const state =
    found && (found.length === 0 ? 'missing' : found.some((one) => isRecordOf(one, key)) ? 'right' : 'different');
  return { name, record: dkimRecord(key), state, rsaBits: rsaBits(key) };
}

/** By an MX record or, without any, by the address of the domain itself (RFC 5321 5.1). */
async function readMail(domain: string, lookup: Lookup): Promise<boolean | null> {
  const hosts = await lookup.mx(domain);
  if (hosts === null) return null;
  if (hosts.length > 0) return hosts.some((host) => host !== '');
  const addresses = await lookup.addresses(domain);
  return addresses && addresses.length > 0;
}

/** Whether a name of the address leads back to it; few servers are asked by more names than one. */
async function ipFacts(ip: string, lookup: Lookup): Promise<SenderFacts['ips'][number]> {
  const names = await lookup.names(ip);
  let confirmed: boolean | null = false;
  for (const name of names?.slice(0, 3) ?? []) {
    const addresses = await lookup.addresses(name);
    if (addresses?.includes(ip)) return { ip, names, confirmed: true };
    if (addresses === null) confirmed = null;
  }
  return { ip, names, confirmed: names && confirmed };
}

/** Relays whose senders include a record of theirs, by the end of the relay's name. */
const INCLUDES: readonly [string, string][] = [
  ['amazonaws.com', 'amazonses.com'],
  ['brevo.com', 'spf.brevo.com'],
  ['sendinblue.com', 'spf.brevo.com'],
  ['gmail.com', '_spf.google.com'],
  ['google.com', '_spf.google.com'],
  ['mail.ru', '_spf.mail.ru'],
  ['mailgun.org', 'mailgun.org'],
  ['mailjet.com', 'spf.mailjet.com'],
  ['office365.com', 'spf.protection.outlook.com'],
  ['outlook.com', 'spf.protection.outlook.com'],
  ['postmarkapp.com', 'spf.mtasv.net'],
  ['sendgrid.net', 'sendgrid.net'],
  ['sparkpostmail.com', 'sparkpostmail.com'],
  ['yandex.net', '_spf.yandex.net'],
  ['yandex.ru', '_spf.yandex.net'],
];

/** An SPF record that lets letters leave by this way; `…` where nobody here knows the address. */
export function spfRecord({ relay, ips }: SenderSetup): string {
  const include = INCLUDES.find(([host]) => relay.host === host || relay.host.endsWith(`.${host}`));
  const own = ips.map((ip) => (ip.includes(':') ? `ip6:${ip}` : `ip4:${ip}`));
  const relayed = include ? [`include:${include[1]}`] : relay.isPrivate ? [] : [`a:${relay.host}`];
  const way = own.length > 0 && !include ? own : [...relayed, ...own];
  return `v=spf1 ${way.length > 0 ? way.join(' ') : 'ip4:…'} ~all`;
}
