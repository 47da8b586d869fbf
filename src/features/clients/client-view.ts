import type { Sql } from '../../database/database';
import { type View, viewWhere } from '../../database/list';
import { searched } from '../../database/search';
import { type Subscription, subscriptionOf } from '../../domain/subscription';
import { scopeOf, type SuppressionReason, type SuppressionScope } from '../../domain/suppression';
import { GRAVEST_FIRST } from '../consent/suppression-sql';
import type { Client } from './client.entity';

/** Why a client gets no mail at present. */
export interface ClientSuppression {
  reason: SuppressionReason;
  since: Date;
  scope: SuppressionScope;
  /** Of the scope `mailing` only. */
  mailingId: number | null;
  mailingName: string | null;
}

export type ClientView = Client & {
  /** Names, in their order. */
  tags: string[];
  suppression: ClientSuppression | null;
  subscription: Subscription;
};
/** As the database gives it: a time within JSON is a text. */
export type ClientRow = Client & {
  tags: string[];
  suppression: (Omit<ClientSuppression, 'since' | 'scope'> & { since: string; ownerId: number | null }) | null;
};

/** SQL: the names of the tags of the client `c`. */
export const TAG_NAMES = `ARRAY(SELECT t.name FROM client_tags ct JOIN tags t ON t.id = ct.tag_id
   WHERE ct.client_id = c.id ORDER BY ${searched('t.name')})`;

/**
 * With the tags, and the suppression that is in force for the client `c`: one probe of an index a row for each. Of
 * several suppressions, one of all mailings before one of a single mailing, then the gravest, which is also the reason
 * for which letters are skipped.
 */
export const CLIENT_VIEW: View = {
  select: `c.*, ${TAG_NAMES} AS tags, (SELECT jsonb_build_object('reason', s.reason, 'since', s.created_at,
      'ownerId', s.owner_id, 'mailingId', s.mailing_id, 'mailingName', m.name)
    FROM suppressions s LEFT JOIN mailings m ON m.id = s.mailing_id
   WHERE s.email_key = lower(c.email) AND s.lifted_at IS NULL AND (s.owner_id = c.owner_id OR s.owner_id IS NULL)
     AND (s.expires_at IS NULL OR s.expires_at > app_now())
   ORDER BY s.mailing_id IS NOT NULL, ${GRAVEST_FIRST} LIMIT 1) AS suppression`,
  from: 'clients c',
};

export function clientOf({ suppression: by, ...client }: ClientRow): ClientView {
  if (!by) return { ...client, suppression: null, subscription: subscriptionOf(null, client.unconfirmedSince) };
  const { ownerId, since, ...more } = by;
  const scope = scopeOf({ ownerId, mailingId: more.mailingId });
  const suppression: ClientSuppression = { ...more, scope, since: new Date(since) };
  return { ...client, suppression, subscription: subscriptionOf(suppression, client.unconfirmedSince) };
}

/** One client, of this owner or (null) of anybody. */
export async function readClient(sql: Sql, id: number, owner: number | null): Promise<ClientView | undefined> {
  const where = 'c.id = $1 AND ($2::bigint IS NULL OR c.owner_id = $2)';
  const row = await sql.first<ClientRow>(viewWhere(CLIENT_VIEW, where), [id, owner]);
  return row && clientOf(row);
}
