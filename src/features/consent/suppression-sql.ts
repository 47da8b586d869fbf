/** Columns of the statement around it, in SQL. */
interface Recipient {
  email: string;
  owner: string;
  mailing: string;
  transactional: string;
}

/**
 * SQL: why this address gets no letter of this mailing, or null: one probe of an index. What binds longest is told
 * first. A transactional letter goes to whom unsubscribed, too.
 */
export const suppressionOf = ({ email, owner, mailing, transactional }: Recipient): string =>
  `(SELECT s.reason FROM suppressions s
     WHERE s.email_key = lower(${email}) AND s.lifted_at IS NULL AND (s.owner_id = ${owner} OR s.owner_id IS NULL)
       AND (s.mailing_id = ${mailing} OR s.mailing_id IS NULL) AND (s.expires_at IS NULL OR s.expires_at > app_now())
       AND NOT (${transactional} AND s.reason = 'unsubscribed')
     ORDER BY array_position('{complaint,unsubscribed,hard_bounce,invalid,manual}', s.reason) LIMIT 1)`;
