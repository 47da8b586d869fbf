import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  field,
  hard,
  type Json,
  type KeySignature,
  list,
  type Meaning,
  meaningOf,
  type Provider,
  REFUSED,
  soft,
  SUPPRESSED,
  text,
  textOrNull,
  time,
  UNKNOWN,
} from './provider';

/** `event/severity:reason`. What failed for now is tried again by Mailgun. */
const EVENTS: readonly (readonly [RegExp, Meaning])[] = [
  [/^failed\/temporary/, { is: 'delayed' }],
  [/^failed\/.*:suppress-complaint/, { is: 'complaint' }],
  [/^failed\/.*:suppress-unsubscribe/, { is: 'unsubscribed' }],
  [/^failed\/.*:suppress/, SUPPRESSED],
  [/^failed\/.*:old/, soft('expired')],
  [/^failed\/.*:espblock/, soft('sender_blocked', 'sender')],
  [/^failed\/.*:greylisted/, soft('greylisted')],
  [/^failed\/.*:bounce/, hard('bad_address')],
  [/^failed\//, UNKNOWN],
  [/^rejected\//, REFUSED],
  [/^complained\//, { is: 'complaint' }],
  [/^unsubscribed\//, { is: 'unsubscribed' }],
];

function report(event: Json) {
  const name = text(event, 'event');
  const meaning = meaningOf(EVENTS, `${name}/${text(event, 'severity')}:${text(event, 'reason')}`);
  const address = text(event, 'recipient');
  if (!meaning || address === '') return null;
  const status = field(event, 'delivery-status');
  // Codes from 600 on are Mailgun's own.
  const code = text(status, 'code');
  const words = text(status, 'message') || text(status, 'description');
  const isServers = /^[45]\d\d$/.test(code) && words !== '' && !/^\s*[45]\d\d/.test(words);
  return {
    name,
    id: text(event, 'id'),
    at: time(text(event, 'timestamp')),
    address,
    meaning,
    said: isServers ? `${code} ${words}` : words,
    status: textOrNull(status, 'enhanced-code'),
    messageId: textOrNull(field(field(event, 'message'), 'headers'), 'message-id'),
    sender: textOrNull(field(event, 'envelope'), 'sender'),
    handle: null,
  };
}

const WITHIN_MS = 5 * 60_000;

/** HMAC-SHA256 over time and token: not over the body, so each token is good for one body. */
const signature: KeySignature = {
  isKey: (key) => /^[\w-]{16,200}$/.test(key.trim()),
  check(key, { body, now }) {
    const signed = field(body, 'signature');
    const [at, token] = [text(signed, 'timestamp'), text(signed, 'token')];
    const right = createHmac('sha256', key.trim()).update(`${at}${token}`).digest();
    const given = Buffer.from(text(signed, 'signature'), 'hex');
    if (token === '' || given.length !== right.length || !timingSafeEqual(given, right)) return { is: 'signature' };
    const isNear = Math.abs(now.getTime() - Number(at) * 1_000) <= WITHIN_MS;
    return isNear ? { is: 'right', once: token } : { is: 'too_old' };
  },
};

export const mailgun: Provider = { events: (body) => list(field(body, 'event-data')), report, signature };
