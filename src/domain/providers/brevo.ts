import {
  hard,
  type Json,
  list,
  type Meaning,
  meaningOf,
  type Provider,
  soft,
  SUPPRESSED,
  text,
  textOrNull,
  time,
} from './provider';

/** Events of transactional mail, which is what comes in by SMTP. */
const EVENTS: readonly (readonly [RegExp, Meaning])[] = [
  [/^hard_?bounce$/, hard('bad_address')],
  [/^soft_?bounce$/, soft('recipient_deferred')],
  [
    /^invalid(?:_email)?$/,
    { is: 'failed', ruling: { kind: 'hard', reason: 'bad_address', blame: 'recipient' }, isOwn: true },
  ],
  // Addresses on Brevo's list of those that bounced or complained.
  [/^blocked$/, SUPPRESSED],
  [/^error$/, soft('undetermined', 'sender')],
  [/^deferred$/, { is: 'delayed' }],
  [/^(?:spam|complaint)$/, { is: 'complaint' }],
  [/^unsubscribed?$/, { is: 'unsubscribed' }],
];

function report(event: Json) {
  const name = text(event, 'event').toLowerCase();
  const meaning = meaningOf(EVENTS, name);
  const address = text(event, 'email');
  if (!meaning || address === '') return null;
  const at = text(event, 'ts_event') || text(event, 'ts_epoch') || text(event, 'ts');
  const letter = text(event, 'message-id');
  return {
    name,
    // Its `id` is that of the webhook.
    id: letter === '' || at === '' ? '' : `${name} ${letter} ${at} ${address}`,
    at: time(at),
    address,
    meaning,
    said: meaning.is === 'failed' && meaning.isOwn ? '' : text(event, 'reason'),
    status: null,
    messageId: null,
    sender: null,
    handle: textOrNull(event, 'message-id'),
  };
}

export const brevo: Provider = { events: list, report };
