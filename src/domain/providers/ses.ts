import {
  field,
  hard,
  type Json,
  list,
  type Meaning,
  meaningOf,
  type Provider,
  type ProviderReport,
  REFUSED,
  soft,
  SUPPRESSED,
  text,
  textOrNull,
  time,
  UNKNOWN,
} from './provider';

/** `bounceType/bounceSubType` (docs.aws.amazon.com/ses, "Bounce types"). */
const BOUNCES: readonly (readonly [RegExp, Meaning])[] = [
  [/Suppress/, SUPPRESSED],
  [/^Permanent\/NoEmail/, hard('user_unknown')],
  [/^Permanent/, hard('bad_address')],
  [/^Transient\/MailboxFull/, soft('mailbox_full')],
  [/^Transient\/MessageTooLarge/, soft('message_too_large', 'sender')],
  [/^Transient\/(?:Content|Attachment)/, soft('content_refused', 'sender')],
  [/^Transient/, soft('recipient_deferred')],
  [/./, UNKNOWN],
];

/** Where the recipients of each kind stand, and what it means. */
const KINDS: Record<string, { part: string; recipients: string; meaning: (part: Json) => Meaning | null }> = {
  Bounce: {
    part: 'bounce',
    recipients: 'bouncedRecipients',
    meaning: (part) => meaningOf(BOUNCES, `${text(part, 'bounceType')}/${text(part, 'bounceSubType')}`),
  },
  Complaint: {
    part: 'complaint',
    recipients: 'complainedRecipients',
    meaning: (part) => ({ is: 'complaint', feedback: text(part, 'complaintFeedbackType') }),
  },
  DeliveryDelay: { part: 'deliveryDelay', recipients: 'delayedRecipients', meaning: () => ({ is: 'delayed' }) },
  Reject: { part: 'reject', recipients: '', meaning: () => REFUSED },
  Subscription: {
    part: 'subscription',
    recipients: '',
    meaning: (part) =>
      field(field(part, 'newTopicPreferences'), 'unsubscribeAll') === true ? { is: 'unsubscribed' } : null,
  },
};

const kindOf = (event: Json) => {
  const name = text(event, 'notificationType') || text(event, 'eventType');
  return { name, kind: Object.hasOwn(KINDS, name) ? KINDS[name] : undefined };
};

/** A notification has all recipients; each becomes an event of its own, with the others left out. */
function events(body: Json): Json[] {
  const { kind } = kindOf(body);
  if (!kind) return [];
  const part = field(body, kind.part);
  if (kind.recipients === '') return [body];
  return list(field(part, kind.recipients)).map((recipient) => ({
    ...(body as object),
    [kind.part]: { ...(part as object), [kind.recipients]: [recipient] },
  }));
}

function report(event: Json): ProviderReport | null {
  const { name, kind } = kindOf(event);
  if (!kind) return null;
  const part = field(event, kind.part);
  const mail = field(event, 'mail');
  const meaning = kind.meaning(part);
  const [recipient] = list(field(part, kind.recipients));
  const address =
    recipient === undefined ? text(list(field(mail, 'destination')), '0') : text(recipient, 'emailAddress');
  if (!meaning || address === '') return null;
  const at = text(part, 'timestamp') || text(mail, 'timestamp');
  const letter = text(mail, 'messageId');
  const isOwn = meaning.is === 'failed' && meaning.isOwn;
  return {
    name,
    id: [name, text(part, 'feedbackId') || `${letter} ${at}`, address].join(' '),
    at: time(at),
    address,
    meaning,
    said: isOwn ? '' : text(recipient, 'diagnosticCode').replace(/^smtp;\s*/i, ''),
    status: isOwn ? null : textOrNull(recipient, 'status'),
    // SES gives each letter a Message-ID of its own, and names ours there (if "original headers" are included).
    messageId: textOrNull(field(mail, 'commonHeaders'), 'messageId') ?? headerOf(mail, 'message-id'),
    sender: textOrNull(mail, 'source'),
    handle: letter || null,
  };
}

const headerOf = (mail: Json, name: string): string | null => {
  const found = list(field(mail, 'headers')).find((header) => text(header, 'name').toLowerCase() === name);
  return textOrNull(found, 'value');
};

/** Notifications and event publishing by Amazon SES, each the text of a message of SNS. */
export const ses: Provider = { events, report, signature: 'sns' };
