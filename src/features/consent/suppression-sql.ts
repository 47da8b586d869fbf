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

/** SQL: the order of several suppressions of one address. */
export const GRAVEST_FIRST = `array_position('{complaint,unsubscribed,hard_bounce,invalid,manual}', s.reason)`;

/**
 * SQL: why this address gets no letter of this mailing, or null: one probe of an index. Of several reasons the gravest.
 * Transactional letters also go to those who unsubscribed.
 */
export const suppressionOf = ({ email, owner, mailing, transactional }: Recipient): string =>
  `(SELECT s.reason FROM suppressions s
     WHERE s.email_key = lower(${email}) AND ${applies({ owner, mailing, transactional })}
     ORDER BY ${GRAVEST_FIRST} LIMIT 1)`;
