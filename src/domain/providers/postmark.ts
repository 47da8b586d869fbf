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

/** `RecordType/Type` (postmarkapp.com, "Bounce types"), or `SubscriptionChange/reason by origin`. */
const RECORDS: readonly (readonly [RegExp, Meaning])[] = [
  [/^Bounce\/HardBounce/, hard('bad_address')],
  [/^Bounce\/BadEmailAddress/, hard('bad_address')],
  [/^Bounce\/(?:ManuallyDeactivated|Unconfirmed)/, SUPPRESSED],
  [/^Bounce\/(?:Transient|SoftBounce|DnsError)/, soft('recipient_deferred')],
  [/^Bounce\/(?:SpamNotification|VirusNotification)/, soft('content_refused', 'sender')],
  [/^Bounce\/Blocked/, soft('sender_blocked', 'sender')],
  [/^Bounce\/DMARCPolicy/, soft('sender_unauthenticated', 'sender')],
  [/^Bounce\/(?:SMTPApiError|TemplateRenderingFailed|InboundError)/, REFUSED],
  [/^Bounce\/SpamComplaint/, { is: 'complaint' }],
  [/^Bounce\/Unsubscribe/, { is: 'unsubscribed' }],
  [/^Bounce\/(?:AutoResponder|ChallengeVerification)/, { is: 'auto_reply' }],
  [/^Bounce\/(?:Unknown|$)/, UNKNOWN],
  [/^SpamComplaint\//, { is: 'complaint' }],
  // Also told as a bounce or complaint, which says more; then nothing new follows.
  [/^SubscriptionChange\/HardBounce/, SUPPRESSED],
  [/^SubscriptionChange\/SpamComplaint/, { is: 'complaint' }],
  [/^SubscriptionChange\/ManualSuppression by Recipient/, { is: 'unsubscribed' }],
];

function report(event: Json) {
  const record = text(event, 'RecordType');
  const isChange = record === 'SubscriptionChange';
  if (isChange && field(event, 'SuppressSending') !== true) return null;
  const what = isChange ? `${text(event, 'SuppressionReason')} by ${text(event, 'Origin')}` : text(event, 'Type');
  const meaning = meaningOf(RECORDS, `${record}/${what}`);
  const address = text(event, 'Email') || text(event, 'Recipient');
  if (!meaning || address === '') return null;
  const at = text(event, 'BouncedAt') || text(event, 'ChangedAt');
  const letter = text(event, 'MessageID');
  return {
    name: isChange ? record : text(event, 'Type') || record,
    // Its ID may have more digits than a number keeps.
    id: [record, text(event, 'Type'), text(event, 'ID'), letter, at, address].join(' '),
    at: time(at),
    address,
    meaning,
    said: meaning.is === 'failed' && meaning.isOwn ? '' : text(event, 'Details'),
    status: null,
    messageId: null,
    sender: null,
    handle: letter || null,
  };
}

export const postmark: Provider = { events: list, report };
