import { type AudienceKind, SKIP_REASON } from './audience';

/** All clients of the mailing's owner. */
export const all: AudienceKind = {
  input: null,
  grows: true,
  page: (limit, chosen) =>
    `SELECT c.id AS key, c.id AS client_id, c.email, ${SKIP_REASON} AS reason, ${chosen} AS chosen
       FROM clients c WHERE c.owner_id = $3 AND c.id > $2 ORDER BY c.id LIMIT ${limit}`,
  source: ({ ownerId }) => ownerId,
  count: 'coalesce((SELECT t.clients FROM client_totals t WHERE t.owner_id = m.owner_id), 0)',
  counted: true,
  contains: 'true',
};
