import type { Transaction } from '../../database/database';

/** So many days on which letters came back, of the last 30, end an address's mail for a while: */
const DAYS = 5;
/** if the first and the last are so many days apart, and longer if the mailbox was full each time. */
const APART = 10;
const APART_IF_FULL = 21;
const WINDOW_DAYS = 30;
const EXPIRES_DAYS = 90;

/** A letter that an address did not take this time. */
export interface SoftBounce {
  /** As `emailKey` gives it. */
  emailKey: string;
  /** When it came back. */
  at: Date;
  isFull: boolean;
  reply: string;
  deliveryId: number;
  /** Whose letter it was. */
  ownerId: number;
}

/**
 * Notes a soft bounce, once for each day, and suppresses the address for everybody for 90 days when there were too many
 * for too long. Harmless to repeat.
 * @returns whether it is suppressed because of this one
 */
export async function noteSoftBounce(tx: Transaction, bounce: SoftBounce): Promise<boolean> {
  const { emailKey, at, isFull, reply, deliveryId, ownerId } = bounce;
  const health = await tx.first<{ n: number; apart: number; notOnlyFull: boolean }>(
    `INSERT INTO address_health AS h (email_key, days, not_only_full, last_bounce_at, last_reply)
     VALUES ($1, ARRAY[($2::timestamptz AT TIME ZONE 'UTC')::date], NOT $3::boolean, $2, left($4, 500))
     ON CONFLICT (email_key) DO UPDATE SET
       days = ARRAY(SELECT DISTINCT day FROM unnest(h.days || excluded.days) AS day
                     WHERE day > (greatest(h.last_bounce_at, $2::timestamptz) AT TIME ZONE 'UTC')::date - ${WINDOW_DAYS}
                     ORDER BY day),
       not_only_full = (h.not_only_full AND h.last_bounce_at > $2::timestamptz - interval '${WINDOW_DAYS} days')
         OR excluded.not_only_full,
       last_bounce_at = greatest(h.last_bounce_at, $2::timestamptz), last_reply = excluded.last_reply
     RETURNING cardinality(days) AS n, days[cardinality(days)] - days[1] AS apart, not_only_full`,
    [emailKey, at, isFull, reply],
  );
  if (!health || health.n < DAYS || health.apart < (health.notOnlyFull ? APART : APART_IF_FULL)) return false;
  const added = await tx.affected(
    `INSERT INTO suppressions AS s
       (listed_for, email_key, address_hash, reason, source, detail, delivery_id, expires_at)
     VALUES ($1, $2, address_hash($2), 'hard_bounce', 'inbound', left($3, 500), $4,
             app_now() + interval '${EXPIRES_DAYS} days')
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO UPDATE
       SET expires_at = excluded.expires_at, detail = excluded.detail
         WHERE s.expires_at < app_now()`,
    [ownerId, emailKey, reply, deliveryId],
  );
  return added > 0;
}

/** Forgets addresses whose letters have long stopped coming back. */
export const forgetHealth = (sql: Pick<Transaction, 'affected'>) =>
  sql.affected(
    `DELETE FROM address_health WHERE email_key IN (SELECT email_key FROM address_health
      WHERE last_bounce_at < app_now() - interval '${WINDOW_DAYS} days' LIMIT 1000)`,
  );

/** Forgets what is known of these addresses; of one that another owner has as a client too it is kept for them. */
export const eraseHealth = (tx: Transaction, ownerId: number | null, addresses: string[]) =>
  tx.affected(
    `DELETE FROM address_health h WHERE email_key = ANY($2::text[]) AND ($1::bigint IS NULL OR NOT EXISTS (
       SELECT FROM clients c WHERE lower(c.email) = h.email_key AND c.owner_id <> $1))`,
    [ownerId, addresses],
  );
