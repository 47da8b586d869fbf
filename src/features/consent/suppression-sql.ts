import { ABOUT_US, CLEAR_CODE, inSql, SAYS_LITTLE } from '../../domain/bounce-doubt';
import { hardBounces } from '../../domain/suppression';

/** Columns of the statement around it, in SQL. */
interface Recipient {
  email: string;
  owner: string;
  mailing: string;
  transactional: string;
}

/** SQL: whether the suppression `s` is in force for this mailing of this owner. */
export const applies = ({ owner, mailing, transactional }: Omit<Recipient, 'email'>): string =>
  `s.lifted_at IS NULL AND (s.owner_id = ${owner} OR s.owner_id IS NULL)
   AND (s.mailing_id = ${mailing} OR s.mailing_id IS NULL) AND (s.expires_at IS NULL OR s.expires_at > app_now())
   AND NOT (${transactional} AND s.reason = 'unsubscribed')`;

const GRAVEST = `'{complaint,unsubscribed,hard_bounce,invalid,manual}'::text[]`;

/** SQL: the order of several suppressions of one address. */
export const GRAVEST_FIRST = `array_position(${GRAVEST}, s.reason)`;

/**
 * SQL: an item of FROM that is called `why` and has one row, whose `reason` is why this address gets no letter of this
 * mailing, or null; `known` is a reason that is known already. It probes an index once for each row: without OFFSET
 * Postgres would write the subquery wherever the reason is named, and probe as often. Of several reasons the gravest
 * counts; an aggregate finds it without a sort. Transactional letters also go to those who unsubscribed.
 */
export const whySuppressed = ({ email, owner, mailing, transactional }: Recipient, known?: string): string => {
  const reason = `(SELECT (${GRAVEST})[min(${GRAVEST_FIRST})] FROM suppressions s
     WHERE s.email_key = lower(${email}) AND ${applies({ owner, mailing, transactional })})`;
  return `LATERAL (SELECT ${known === undefined ? reason : `coalesce(${known}, ${reason})`} AS reason OFFSET 0) why`;
};

/** SQL: the domain of an address. */
export const domainOf = (email: string): string => `substring(lower(${email}) from '[^@]*$')`;

/**
 * SQL: suppressions that mail servers' answers led to, at once or by letters that came back. Complaints and wishes to
 * unsubscribe come in by the same way, and say nothing of a server.
 */
export const OF_ANSWERS = `source IN ('smtp', 'inbound') AND reason = 'hard_bounce'`;

/**
 * SQL: whether an answer to a letter says for good that its address gets no mail. What a bare code hints at does not,
 * nor does an answer that may as well be about us: an address that is mailed once more costs less than one that is
 * never mailed again.
 * @param of a row with the columns of an attempt; its status stands in `status`
 */
export const isHardBounced = (of: string, status = 'status'): string =>
  `(${of}.${status} = 'failed' AND ${of}.reason IN (${hardBounces.map((each) => `'${each}'`).join(', ')})
    AND ${of}.refusal IS NULL AND ${of}.server_response !~* ${inSql(ABOUT_US)}
    AND (coalesce(${of}.enhanced_code, '') ~ ${inSql(CLEAR_CODE)} OR ${of}.server_response !~* ${inSql(SAYS_LITTLE)}))`;

/** SQL: the address of a row of `from`, as it is compared: by the letters of ASCII, whatever collation it comes with. */
const KEY = 'lower(b.email COLLATE "C")';

/**
 * SQL: suppresses for everybody, or for the owner of each row, the addresses of `from`, whose rows have `email`,
 * `owner_id`, `detail` and `delivery_id`; one that would have expired does not any more. During an outage they are only
 * noted: they stand there as lifted and belong to its batch.
 */
export const suppressBounced = (
  from: string,
  source: 'smtp' | 'inbound' = 'smtp',
  whose: 'everybody' | 'owner' = 'everybody',
): string => `
  INSERT INTO suppressions AS s
    (owner_id, listed_for, email_key, address_hash, reason, source, detail, delivery_id, batch_id, lifted_at, lift_reason)
  SELECT DISTINCT ON (${KEY}) ${whose === 'owner' ? 'b.owner_id' : 'NULL::bigint'}, b.owner_id, ${KEY}, address_hash(b.email), 'hard_bounce', '${source}',
         left(b.detail, 500), b.delivery_id, outage.id, CASE WHEN outage.id IS NOT NULL THEN app_now() END,
         CASE WHEN outage.id IS NOT NULL THEN 'outage' END
    FROM (${from}) b LEFT JOIN LATERAL (
      SELECT o.id FROM suppression_batches o
       WHERE o.kind = 'outage' AND o.until > app_now() AND o.decision IS DISTINCT FROM 'suppressed'
         AND (o.domain IS NULL OR o.domain = ${domainOf('b.email')})
       ORDER BY o.domain NULLS LAST LIMIT 1) outage ON true
   ORDER BY ${KEY}
  ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO UPDATE
    SET expires_at = NULL, detail = excluded.detail WHERE s.expires_at IS NOT NULL`;
