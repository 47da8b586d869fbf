import { type AudienceKind, SKIP_REASON } from './audience';

/** Clients who were chosen one by one, in the order in which they were added. */
export const selected: AudienceKind = {
  input: 'clientIds',
  grows: false,
  page: (limit, chosen) =>
    `SELECT mc.id AS key, c.id AS client_id, c.email, ${SKIP_REASON} AS reason, ${chosen} AS chosen
       FROM mailing_clients mc JOIN clients c ON c.id = mc.client_id
      WHERE mc.mailing_id = $3 AND mc.id > $2 ORDER BY mc.id LIMIT ${limit}`,
  source: ({ mailingId }) => mailingId,
  count: 'm.selected_count',
  counted: true,
  contains: 'EXISTS (SELECT FROM mailing_clients mc WHERE mc.mailing_id = $1 AND mc.client_id = c.id)',
};
