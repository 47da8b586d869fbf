/**
 * What became of the people of a sending. Those who failed may get the letter again by later runs: each person then
 * counts once, with what became of them in the end, and the total stays that of the first run.
 */
import { type DeliveryCounts, deliveryStatuses, type DeliveryStatus, type RunStatus } from './states';

/** So many people who were `was` in the first run are `is` by later ones. */
export interface Moved {
  was: DeliveryStatus;
  is: DeliveryStatus;
  n: number;
}

/**
 * The counts of the first run, with those who were sent to again counted as they are now. The total stays the same, and no
 * count becomes negative, even if `counts` and `moves` were read at different moments; then they are right a moment later.
 */
export function moveCounts(counts: DeliveryCounts, moves: readonly Moved[]): DeliveryCounts {
  const people = { ...counts };
  for (const { was, is, n } of moves) {
    const moved = Math.min(n, people[was]);
    people[was] -= moved;
    people[is] += moved;
  }
  return people;
}

/**
 * The same as an estimate from the counters of the runs alone, where there are too many people to look at each. The total
 * stays the same, no count is negative, and never more people count as sent than have the letter. Not told apart are who
 * failed and whose outcome was unknown, and who was sent to again after a run to them had been stopped.
 */
export function foldCounts(first: DeliveryCounts, resends: readonly DeliveryCounts[]): DeliveryCounts {
  const people = { ...first };
  for (const resend of resends) {
    let room = 0;
    for (const was of ['failed', 'unknown'] as const) {
      const n = Math.min(resend.total - room, people[was]);
      people[was] -= n;
      room += n;
    }
    for (const is of deliveryStatuses) {
      const n = Math.min(resend[is], room);
      people[is] += n;
      room -= n;
    }
  }
  return people;
}

/** How many still wait for their letter. */
export const waiting = ({ pending, sending, deferred }: Pick<DeliveryCounts, 'pending' | 'sending' | 'deferred'>) =>
  pending + sending + deferred;

export const isLive = (status: RunStatus): boolean => status === 'planning' || status === 'sending';

/** Whether the sending was stopped, so that somebody did not get the letter. Pages never call it sent. */
export const isCutOff = (status: RunStatus, { cancelled }: Pick<DeliveryCounts, 'cancelled'>): boolean =>
  !isLive(status) && (status === 'cancelled' || cancelled > 0);

/** What one sentence says of a sending. */
export type OutcomeKind = 'preparing' | 'going' | 'onHold' | 'over';

export const outcomeKind = (status: RunStatus, paused: boolean): OutcomeKind => {
  if (!isLive(status)) return 'over';
  if (paused) return 'onHold';
  return status === 'planning' ? 'preparing' : 'going';
};
