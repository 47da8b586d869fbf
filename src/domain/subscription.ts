import type { SuppressionReason } from './suppression';

/** Whether a client gets their owner's mailings, and if not, why not. */
export const subscriptionStatuses = [
  'subscribed',
  'unsubscribed',
  'unconfirmed',
  'bounced',
  'complained',
  'suppressed',
] as const;
export type SubscriptionStatus = (typeof subscriptionStatuses)[number];

export interface Subscription {
  status: SubscriptionStatus;
  /** Null: nothing is known to have changed. */
  since: Date | null;
  reason: SuppressionReason | null;
}

export const STATUS_OF: Record<SuppressionReason, SubscriptionStatus> = {
  unsubscribed: 'unsubscribed',
  hard_bounce: 'bounced',
  complaint: 'complained',
  manual: 'suppressed',
  invalid: 'suppressed',
};

/** The reasons that lead to this status; none lead to `subscribed`. */
export const reasonsOf = (status: SubscriptionStatus): SuppressionReason[] =>
  (Object.keys(STATUS_OF) as SuppressionReason[]).filter((reason) => STATUS_OF[reason] === status);

/**
 * Who has not confirmed the address gets nothing, whatever else is known of it.
 * @param by the suppression in force; who only left a single mailing is still subscribed
 */
export function subscriptionOf(
  by: { reason: SuppressionReason; since: Date; scope: 'mailing' | 'owner' | 'installation' } | null,
  unconfirmedSince: Date | null,
): Subscription {
  if (unconfirmedSince !== null) return { status: 'unconfirmed', since: unconfirmedSince, reason: null };
  return !by || by.scope === 'mailing'
    ? { status: 'subscribed', since: null, reason: null }
    : { status: STATUS_OF[by.reason], since: by.since, reason: by.reason };
}
