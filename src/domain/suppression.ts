/** Why an address gets nothing. */
export const suppressionReasons = ['unsubscribed', 'hard_bounce', 'complaint', 'manual', 'invalid'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** Whom it binds: one mailing, all mailings of one owner, or all owners of the installation. */
export const suppressionScopes = ['mailing', 'owner', 'installation'] as const;
export type SuppressionScope = (typeof suppressionScopes)[number];

export const scopeOf = ({
  ownerId,
  mailingId,
}: {
  ownerId: number | null;
  mailingId: number | null;
}): SuppressionScope => (ownerId === null ? 'installation' : mailingId === null ? 'owner' : 'mailing');

/** How it became known. */
export const suppressionSources = [
  'one_click',
  'page',
  'smtp',
  'api',
  'import',
  'user',
  'cli',
  'mailto',
  'inbound',
] as const;
export type SuppressionSource = (typeof suppressionSources)[number];

/** The answers to a letter that say: this address gets no mail, today or later. */
export const hardBounces: readonly string[] = ['user_unknown', 'domain_unknown', 'bad_address', 'mailbox_disabled'];

/** What became known about a delivery after it was sent; it stands beside the delivery's status, which stays. */
export const deliveryEvents = [
  'bounced',
  'soft_bounced',
  'delayed',
  'complained',
  'unsubscribed',
  'resubscribed',
  'auto_replied',
] as const;
export type DeliveryEvent = (typeof deliveryEvents)[number];

/** The kinds of which each run and each day has a number. */
export type CountedEvent = Extract<DeliveryEvent, 'bounced' | 'soft_bounced' | 'complained' | 'unsubscribed'>;

/** How many events there are of these kinds. */
export interface EventCounts {
  bounced: number;
  softBounced: number;
  complained: number;
  unsubscribed: number;
}

/** A transactional mailing also goes to those who unsubscribed, and names no way to unsubscribe. */
export const mailingKinds = ['marketing', 'transactional'] as const;
export type MailingKind = (typeof mailingKinds)[number];

/** What was decided about suppressions that came together, or were withheld together. */
export const batchDecisions = ['undone', 'suppressed'] as const;
export type BatchDecision = (typeof batchDecisions)[number];
export const batchKinds = ['import', 'outage'] as const;
export type BatchKind = (typeof batchKinds)[number];

/** What became of the last hour's letters to one domain. */
export interface DomainLetters {
  domain: string;
  /** Letters that were taken. */
  accepted: number;
  /** Addresses that were refused for good. */
  refused: number;
  /** Of the refused ones, those that had taken mail in the last 40 days. */
  tookMail: number;
}

const OUTAGE_REFUSED = 50;
/** So large a part of a domain's addresses does not end within an hour if they took mail lately, */
const OUTAGE_SHARE = 0.2;
/** and so large a part is doubtful whether they did or not. */
const OUTAGE_SHARE_OF_ANY = 0.5;

const isOutage = ({ accepted, refused, tookMail }: Omit<DomainLetters, 'domain'>): boolean =>
  (tookMail >= OUTAGE_REFUSED && tookMail > OUTAGE_SHARE * (accepted + refused)) ||
  (refused >= OUTAGE_REFUSED && refused > OUTAGE_SHARE_OF_ANY * (accepted + refused));

/**
 * The domains at which something is wrong with the mail server rather than with the addresses. `domain` null: it is so
 * with the letters to all other domains together, as when our own relay can't look up names.
 */
export function outages(letters: DomainLetters[]): (Omit<DomainLetters, 'domain'> & { domain: string | null })[] {
  const at = letters.filter(isOutage);
  const others = letters.filter((domain) => !isOutage(domain));
  const sum = (of: 'accepted' | 'refused' | 'tookMail') => others.reduce((all, domain) => all + domain[of], 0);
  const rest = { domain: null, accepted: sum('accepted'), refused: sum('refused'), tookMail: sum('tookMail') };
  return others.filter(({ refused }) => refused > 0).length > 1 && isOutage(rest) ? [...at, rest] : at;
}
