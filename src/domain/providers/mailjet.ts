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
  time,
  UNKNOWN,
} from './provider';

/** `event/error_related_to:error` (dev.mailjet.com, "Possible values for errors"), with `!` for a hard bounce. */
const EVENTS: readonly (readonly [RegExp, Meaning])[] = [
  [/^bounce\/.*:user unknown/, hard('user_unknown')],
  [/^(?:bounce|blocked)\/.*:mailbox inactive/, hard('mailbox_disabled')],
  [/^(?:bounce|blocked)\/.*:quota exceeded/, soft('mailbox_full')],
  [/^(?:bounce|blocked)\/.*:(?:invalid domain|no mail host)/, hard('domain_unknown')],
  [/^(?:bounce|blocked)\/.*:(?:relay\/access denied|sender blocked)/, soft('sender_blocked', 'sender')],
  [/^(?:bounce|blocked)\/.*:greylisted/, soft('greylisted')],
  [/^(?:bounce|blocked)\/.*:content blocked/, soft('content_refused', 'sender')],
  [/^(?:bounce|blocked)\/.*:policy issue/, soft('policy_refused', 'sender')],
  [/^(?:bounce|blocked)\/.*:spam reporter/, { is: 'complaint' }],
  [/^(?:bounce|blocked)\/.*:(?:blacklisted|preblocked|typofix)/, SUPPRESSED],
  [/^bounce\/.*!$/, hard('bad_address')],
  [/^bounce\//, UNKNOWN],
  [/^blocked\//, REFUSED],
  [/^spam\//, { is: 'complaint' }],
  [/^unsub\//, { is: 'unsubscribed' }],
];

function report(event: Json) {
  const name = text(event, 'event');
  const isHard = field(event, 'hard_bounce') === true;
  const error = text(event, 'error');
  const meaning = meaningOf(EVENTS, `${name}/${text(event, 'error_related_to')}:${error}${isHard ? '!' : ''}`);
  const address = text(event, 'email');
  if (!meaning || address === '') return null;
  const guid = text(event, 'Message_GUID');
  const letter = guid || text(event, 'MessageID');
  return {
    name,
    id: `${name} ${letter} ${text(event, 'time')} ${address}`,
    at: time(field(event, 'time')),
    address,
    meaning,
    said: meaning.is === 'failed' && meaning.isOwn ? '' : text(event, 'comment') || error,
    status: null,
    messageId: null,
    sender: null,
    // Its server answers with it.
    handle: guid || null,
  };
}

export const mailjet: Provider = { events: list, report };
