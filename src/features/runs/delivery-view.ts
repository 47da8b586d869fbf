import type { View } from '../../database/list';
import type { DeliveryStatus, RunTrigger } from '../../domain/states';
import type { DeliveryEvent } from '../../domain/suppression';
import { clientMatches } from '../clients/client-list';
import { EVENTS_OF_DELIVERY } from '../ledger/events.service';

export interface DeliveryView {
  id: number;
  runId: number;
  mailingId: number;
  mailingName: string;
  occurrenceAt: Date | null;
  trigger: RunTrigger;
  clientId: number;
  email: string;
  fullName: string | null;
  status: DeliveryStatus;
  reason: string | null;
  tries: number;
  attempts: number;
  nextAttemptAt: Date | null;
  markedBy: number | null;
  lastResponse: string | null;
  /** What became known after it was sent, each kind once; it changes no status. */
  events: DeliveryEvent[];
  /** The letter's Message-ID, which the logs of mail servers name; the same on every try. */
  messageIdHeader: string;
  updatedAt: Date;
}

export type DeliveryRow = Omit<DeliveryView, 'messageIdHeader'> & { runKey: string | null; sender: string | null };

export const viewOf = (deliveries: string): View => ({
  select: `d.id, d.run_id, r.mailing_id, coalesce(r.mailing_name, m.name) AS mailing_name, r.occurrence_at,
    r.trigger, d.client_id, d.email,
    c.full_name, d.status, d.reason, d.tries, d.attempts, d.next_attempt_at, d.marked_by, d.updated_at,
    r.letter_key AS run_key, r.sender,
    (SELECT a.server_response FROM attempts a
      WHERE a.delivery_id = d.id ORDER BY a.attempt_number DESC LIMIT 1) AS last_response,
    ${EVENTS_OF_DELIVERY} AS events`,
  from: `${deliveries} d JOIN runs r ON r.id = d.run_id JOIN mailings m ON m.id = r.mailing_id
    LEFT JOIN clients c ON c.id = d.client_id`,
});
export const DELIVERY_VIEW = viewOf('deliveries');

/**
 * SQL: the deliveries of the run $1 after the id $2 in id order, $3 at most. Deliveries on the ordinary path (see
 * `off_path`) are in no index by status, because sending must write no index: they are found by reading in id order,
 * which ends when as many are found as the counters say.
 */
export const pageOf = (status: DeliveryStatus | undefined): string => {
  const page = (which: string, limit = '$3') =>
    `(SELECT * FROM deliveries WHERE run_id = $1 ${which} AND id > $2 ORDER BY id LIMIT ${limit})`;
  if (status === undefined) return page('');
  if (!['pending', 'sending', 'sent'].includes(status)) return page(`AND off_path = '${status}'`);
  const all = `LEAST($3, (SELECT coalesce(sum(${status}), 0) FROM run_counts WHERE run_id = $1))`;
  if (status === 'sent') return page(`AND status = 'sent'`, all);
  return `(SELECT o.* FROM runs r, open_deliveries(r.id, r.floor_id, '${status}', $2, ${all}) o WHERE r.id = $1)`;
};

/** SQL: the deliveries of the run $1 that have an event of the kind $2, of the status $3 if it is given. */
const WITH_EVENT = `(SELECT DISTINCT e.delivery_id FROM delivery_events e WHERE e.run_id = $1 AND e.kind = $2) e
  JOIN deliveries d ON d.id = e.delivery_id AND ($3::text IS NULL OR d.status = $3)`;
export const COUNT_WITH_EVENT = `SELECT count(*) AS n FROM ${WITH_EVENT}`;

/**
 * SQL: the deliveries of the run $1 after the id $2 in id order, $3 at most, that have an event of the kind $4, of the
 * status $5 if it is given. The page is cut from the events' index before it is joined, so that no more is read of it.
 */
export const EVENT_PAGE = `(
  SELECT d.* FROM (SELECT DISTINCT e.delivery_id FROM delivery_events e
      WHERE e.run_id = $1 AND e.kind = $4 AND e.delivery_id > $2
        AND ($5::text IS NULL OR (SELECT o.status FROM deliveries o WHERE o.id = e.delivery_id) = $5)
      ORDER BY e.delivery_id LIMIT $3) e
    JOIN deliveries d ON d.id = e.delivery_id)`;

/** SQL: which deliveries a search may find, with the parameters of `FOUND`. */
const CHOSEN = `d.run_id = $1 AND d.client_id > $2 AND ($4::text IS NULL OR d.status = $4)
  AND ($8::text IS NULL OR EXISTS (SELECT FROM delivery_events e
        WHERE e.run_id = d.run_id AND e.kind = $8 AND e.delivery_id = d.id))`;

/**
 * SQL: the deliveries of the run $1 whose clients match the search ($5), after the client $2 in the clients' order, $3
 * at most, of the status $4 and with an event of the kind $8 if these are given. Rare terms are found by the clients'
 * trigram index, frequent ones by reading the clients in order. An address that a client no longer has ($7) is found if
 * it is given as a whole.
 */
export const FOUND = `(
  (SELECT d.* FROM deliveries d JOIN clients c ON c.id = d.client_id
    WHERE ${CHOSEN} AND c.owner_id = $6 AND ${clientMatches('$5')}
    ORDER BY d.client_id LIMIT $3)
  UNION SELECT d.* FROM deliveries d WHERE ${CHOSEN} AND lower(d.email) = $7)`;
