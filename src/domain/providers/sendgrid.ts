import { createPublicKey, verify } from 'node:crypto';
import {
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

/** `event/type: reason or classification`. */
const EVENTS: readonly (readonly [RegExp, Meaning])[] = [
  [/^bounce\/blocked:/, soft('policy_refused', 'sender')],
  [
    /^bounce\/.*:invalid address/i,
    { is: 'failed', ruling: { kind: 'hard', reason: 'bad_address', blame: 'recipient' } },
  ],
  [/^bounce\/.*:mailbox unavailable/i, soft('mailbox_full')],
  [/^bounce\//, UNKNOWN],
  // What SendGrid did not even try.
  [/^dropped\/.*:bounced address/i, SUPPRESSED],
  [/^dropped\/.*:invalid/i, SUPPRESSED],
  [/^dropped\/.*:unsubscribed address/i, { is: 'unsubscribed' }],
  [/^dropped\/.*:spam reporting address/i, { is: 'complaint' }],
  [/^dropped\//, REFUSED],
  [/^deferred\//, { is: 'delayed' }],
  [/^spamreport\//, { is: 'complaint' }],
  [/^(?:unsubscribe|group_unsubscribe)\//, { is: 'unsubscribed' }],
];

function report(event: Json) {
  const name = text(event, 'event');
  const said = text(event, 'reason') || text(event, 'response');
  const named = name === 'dropped' ? said : text(event, 'bounce_classification');
  const meaning = meaningOf(EVENTS, `${name}/${text(event, 'type')}:${named}`);
  const address = text(event, 'email');
  if (!meaning || address === '') return null;
  return {
    name,
    id: text(event, 'sg_event_id'),
    at: time(text(event, 'timestamp')),
    address,
    meaning,
    said: name === 'dropped' ? '' : said,
    status: textOrNull(event, 'status'),
    messageId: textOrNull(event, 'smtp-id'),
    sender: null,
    // It begins with what SendGrid's server answered.
    handle: text(event, 'sg_message_id').split('.')[0] || null,
  };
}

/** SendGrid tries again for 24 hours; what it sends again is known by its id. */
const OLDEST_MS = 25 * 3_600_000;
const AHEAD_MS = 5 * 60_000;

/** The Signed Event Webhook: ECDSA over the time and the bytes of the body. */
const signature: KeySignature = {
  isKey(key) {
    try {
      return publicKey(key).asymmetricKeyType === 'ec';
    } catch {
      return false;
    }
  },
  check(key, { headers, raw, now }) {
    const signed = headers['x-twilio-email-event-webhook-signature'] ?? '';
    const at = headers['x-twilio-email-event-webhook-timestamp'] ?? '';
    const bytes = Buffer.concat([Buffer.from(at), raw]);
    if (signed === '' || !verify('sha256', bytes, publicKey(key), Buffer.from(signed, 'base64')))
      return { is: 'signature' };
    const age = now.getTime() - Number(at) * 1_000;
    return age <= OLDEST_MS && age >= -AHEAD_MS ? { is: 'right' } : { is: 'too_old' };
  },
};

const publicKey = (key: string) =>
  createPublicKey({ key: Buffer.from(key.trim(), 'base64'), format: 'der', type: 'spki' });

export const sendgrid: Provider = { events: list, report, signature };
