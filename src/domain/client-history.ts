import type { DeliveryEvent, SuppressionReason } from './suppression';

interface Known {
  kind: DeliveryEvent;
  createdAt: Date;
}

interface Suppressed {
  reason: SuppressionReason;
  createdAt: Date;
  expiresAt: Date | null;
  /** Whether its time has passed. */
  isExpired: boolean;
  liftedAt: Date | null;
}

/** `known`: an event of a letter. The others are about a suppression, with the event that brought it, if one did. */
export type HistoryEntry<E, S> =
  | { what: 'known'; at: Date; event: E }
  | { what: 'suppressed' | 'lifted' | 'expired'; at: Date; suppression: S; event: E | null };

/** The event that brings a suppression, by the suppression's reason. */
const BROUGHT_BY: Partial<Record<SuppressionReason, DeliveryEvent>> = {
  unsubscribed: 'unsubscribed',
  hard_bounce: 'bounced',
  complaint: 'complained',
};

/**
 * What became known about one client's letters, and since when and until when the address was suppressed: one list,
 * newest first. An event and a suppression of the same instant were written by one
 * transaction, and are one entry.
 */
export function clientHistory<E extends Known, S extends Suppressed>(
  events: readonly E[],
  suppressions: readonly S[],
): HistoryEntry<E, S>[] {
  const told = new Set<E>();
  const eventOf = (kind: DeliveryEvent | undefined, at: Date): E | null => {
    const event = events.find((e) => e.kind === kind && e.createdAt.getTime() === at.getTime());
    if (event) told.add(event);
    return event ?? null;
  };
  const changes = suppressions.flatMap((suppression): HistoryEntry<E, S>[] => {
    const { reason, createdAt, expiresAt, isExpired, liftedAt } = suppression;
    // Only noted, and never in force.
    if (liftedAt && liftedAt.getTime() <= createdAt.getTime()) return [];
    const begin = {
      what: 'suppressed' as const,
      at: createdAt,
      suppression,
      event: eventOf(BROUGHT_BY[reason], createdAt),
    };
    if (liftedAt)
      return [begin, { what: 'lifted', at: liftedAt, suppression, event: eventOf('resubscribed', liftedAt) }];
    return isExpired && expiresAt ? [begin, { what: 'expired', at: expiresAt, suppression, event: null }] : [begin];
  });
  const others = events
    .filter((event) => !told.has(event))
    .map((event): HistoryEntry<E, S> => ({ what: 'known', at: event.createdAt, event }));
  return [...changes, ...others].sort((a, b) => b.at.getTime() - a.at.getTime());
}
