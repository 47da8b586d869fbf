/** Why an address gets nothing. */
export const suppressionReasons = ['unsubscribed', 'hard_bounce', 'complaint', 'manual', 'invalid'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** Whom it binds: one mailing, all mailings of one owner, or all owners of the installation. */
export const suppressionScopes = ['mailing', 'owner', 'installation'] as const;
export type SuppressionScope = (typeof suppressionScopes)[number];

export const scopeOf = ({ ownerId, mailingId }: { ownerId: number | null; mailingId: number | null }) =>
  ownerId === null ? 'installation' : mailingId === null ? 'owner' : 'mailing';

/** How it became known. */
export const suppressionSources = ['one_click', 'page', 'smtp', 'api', 'import', 'user', 'cli'] as const;
export type SuppressionSource = (typeof suppressionSources)[number];

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
