import type { Sql } from '../../database/database';
import { LETTERS, type Person } from './addresses';

/** Everything that is kept about a person, by what it is; times are ISO 8601. */
export interface PersonExport {
  exportedAt: string;
  addresses: string[];
  clients: object[];
  suppressions: object[];
  selectedFor: object[];
  letters: object[];
  /** Letters that came back, as long as they are kept. */
  returned: object[];
  /** The days of the last 30 on which an address did not take a letter. */
  bouncedOn: object[];
  notices: object[];
  signups: object[];
  audit: object[];
}

const CLIENTS = `SELECT c.id, u.email AS kept_by, c.email, c.full_name, c.comment, c.fields, c.created_at, c.updated_at,
    ARRAY(SELECT t.name FROM client_tags ct JOIN tags t ON t.id = ct.tag_id WHERE ct.client_id = c.id ORDER BY 1) AS tags
  FROM clients c JOIN users u ON u.id = c.owner_id WHERE c.id = ANY($1::bigint[]) ORDER BY c.id`;

/** What was said of other owners' letters is theirs, and so are the words by which they lifted something. */
const SUPPRESSIONS = `SELECT s.id, s.email_key AS email, s.reason, s.source, s.mailing_id,
    CASE WHEN $1::bigint IS NULL OR s.listed_for = $1 THEN s.detail ELSE '' END AS detail, s.created_at,
    s.expires_at, s.lifted_at,
    CASE WHEN $1::bigint IS NULL OR s.listed_for = $1 OR s.lift_reason IN ('outage', 'undone', 'resubscribed')
      THEN s.lift_reason END AS lift_reason
  FROM suppressions s WHERE s.address_hash = ANY (SELECT address_hash(a) FROM unnest($2::text[]) AS a)
   AND ($1::bigint IS NULL OR s.owner_id = $1 OR s.owner_id IS NULL) ORDER BY s.id`;

const SELECTED = `SELECT m.id AS mailing_id, m.name FROM mailing_clients mc JOIN mailings m ON m.id = mc.mailing_id
  WHERE mc.client_id = ANY($1::bigint[]) ORDER BY m.id`;

const LETTERS_OF = `SELECT d.id AS delivery_id, d.run_id, r.mailing_id, r.mailing_name, r.subject, d.email, d.status,
    d.reason, d.updated_at,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('at', a.created_at, 'status', a.status, 'reason', a.reason,
       'serverResponse', a.server_response) ORDER BY a.id), '[]') FROM attempts a WHERE a.delivery_id = d.id) AS attempts,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.created_at, 'kind', e.kind, 'source', e.source,
       'reply', e.reply, 'reason', e.reason) ORDER BY e.id), '[]')
       FROM delivery_events e WHERE e.delivery_id = d.id) AS events
  FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id IN ${LETTERS} ORDER BY d.id`;

const RETURNED = `SELECT l.id, l.received_at, l.envelope_from, l.subject, l.kind, l.reason, l.address, l.reply, l.delivery_id
  FROM inbound_letters l WHERE l.delivery_id IN ${LETTERS} OR (($1::bigint IS NULL OR l.owner_id = $1)
   AND (lower(l.address COLLATE "C") = ANY($2::text[]) OR lower(l.envelope_from COLLATE "C") = ANY($2::text[]))) ORDER BY l.id`;

/** It is known of all owners' letters; the last reply may be to another owner's, and only an operator sees it. */
const bouncedOn = (ownerId: number | null): string =>
  `SELECT email_key AS email, days::text[] AS days, last_bounce_at${ownerId === null ? ', last_reply' : ''}
     FROM address_health WHERE email_key = ANY($1::text[]) ORDER BY 1`;

const NOTICES = `SELECT id, kind, email, status, last_response, created_at, finished_at FROM notices
  WHERE kind IN ('test', 'signup') AND lower(email) = ANY($2::text[]) AND ($1::bigint IS NULL OR user_id = $1) ORDER BY id`;

const SIGNUPS = `SELECT s.id, f.name AS form, s.email, s.full_name, s.fields, s.topics, s.consent_text, s.ip, s.origin,
    s.created_at, s.confirmed_at, s.confirmed_ip
  FROM signups s JOIN signup_forms f ON f.id = s.form_id
  WHERE ($1::bigint IS NULL OR s.owner_id = $1)
    AND (lower(s.email) = ANY($2::text[]) OR s.client_id = ANY($3::bigint[])) ORDER BY s.id`;

const AUDIT = `SELECT created_at, action, via, detail FROM audit_log
  WHERE object_type = 'client' AND object_id = ANY($1::bigint[]) ORDER BY id`;

/** Call it in one transaction, so that its parts agree. */
export async function exportPerson(sql: Sql, person: Person): Promise<PersonExport> {
  const { ownerId, addresses, clientIds } = person;
  const now = await sql.first<{ at: Date }>('SELECT clock_timestamp() AS at');
  return {
    exportedAt: now!.at.toISOString(),
    addresses,
    clients: await sql.rows<object>(CLIENTS, [clientIds]),
    suppressions: await sql.rows<object>(SUPPRESSIONS, [ownerId, addresses]),
    selectedFor: await sql.rows<object>(SELECTED, [clientIds]),
    letters: await sql.rows<object>(LETTERS_OF, [ownerId, addresses, clientIds]),
    returned: await sql.rows<object>(RETURNED, [ownerId, addresses, clientIds]),
    bouncedOn: await sql.rows<object>(bouncedOn(ownerId), [addresses]),
    notices: await sql.rows<object>(NOTICES, [ownerId, addresses]),
    signups: await sql.rows<object>(SIGNUPS, [ownerId, addresses, clientIds]),
    audit: await sql.rows<object>(AUDIT, [clientIds]),
  };
}
