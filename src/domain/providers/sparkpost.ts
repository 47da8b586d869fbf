import {
  field,
  hard,
  type Json,
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

const FAILED = '^(?:bounce|out_of_band)\\/';
const of = (classes: string): RegExp => new RegExp(`${FAILED}(?:${classes}):`);

/** `type/bounce_class:reason` (support.sparkpost.com, "Bounce classification codes"). */
const EVENTS: readonly (readonly [RegExp, Meaning])[] = [
  [of('10|30'), hard('bad_address')],
  [of('90'), { is: 'unsubscribed' }],
  [of('21'), soft('expired')],
  [of('22'), soft('mailbox_full')],
  [of('23'), soft('message_too_large', 'sender')],
  [of('24'), soft('expired')],
  [of('50|51|54'), soft('sender_blocked', 'sender')],
  [of('52|53'), soft('content_refused', 'sender')],
  [of('60|80|100'), { is: 'auto_reply' }],
  [of('20|40|70'), soft('recipient_deferred')],
  [/^(?:bounce|policy_rejection)\/.*suppress.*unsubscri/i, { is: 'unsubscribed' }],
  [/^(?:bounce|policy_rejection)\/.*suppress.*(?:spam|complain)/i, { is: 'complaint' }],
  [/^(?:bounce|policy_rejection)\/.*suppress/i, SUPPRESSED],
  [/^(?:policy_rejection|generation_failure|generation_rejection)\//, REFUSED],
  [new RegExp(FAILED), UNKNOWN],
  [/^delay\//, { is: 'delayed' }],
  [/^(?:list_unsubscribe|link_unsubscribe)\//, { is: 'unsubscribed' }],
];

/** Each event stands in an object with one field, whose name says of what kind it is. */
const inner = (event: Json): Json => {
  const msys = field(event, 'msys');
  return field(msys, 'message_event') ?? field(msys, 'unsubscribe_event') ?? field(msys, 'gen_event');
};

function report(event: Json) {
  const of = inner(event);
  const name = text(of, 'type');
  const reason = text(of, 'raw_reason') || text(of, 'reason');
  const meaning: Meaning | null =
    name === 'spam_complaint'
      ? { is: 'complaint', feedback: text(of, 'fbtype') }
      : meaningOf(EVENTS, `${name}/${text(of, 'bounce_class')}:${reason}`);
  const address = text(of, 'raw_rcpt_to') || text(of, 'rcpt_to');
  if (!meaning || address === '') return null;
  return {
    name,
    id: text(of, 'event_id'),
    at: time(text(of, 'timestamp')),
    address,
    meaning,
    said: meaning.is === 'failed' && meaning.isOwn ? '' : reason,
    status: null,
    messageId: null,
    sender: textOrNull(of, 'msg_from'),
    handle: null,
  };
}

export const sparkpost: Provider = { events: list, report };
