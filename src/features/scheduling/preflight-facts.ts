import { within } from '../../database/bounded';
import type { Database, Sql, Transaction } from '../../database/database';
import type { ExclusionReason } from '../../domain/codes';
import { ValidationError } from '../../domain/errors';
import { SAMPLE_CLIENT, sampleValues } from '../../domain/client-fields';
import type { ListFacts, LocalFacts } from '../../domain/preflight-rules';
import { hardBounces } from '../../domain/suppression';
import { compileContent, type ContentSource, type ContentTemplate, type LetterData } from '../../domain/template';
import { isCounted } from '../audiences/audiences';
import { type Addressed, chosenBy, containsSql, countMembers, type MembersIn } from '../audiences/members';
import { fieldsOf } from '../clients/field-definitions';
import { applies, GRAVEST_FIRST } from '../consent/suppression-sql';
import type { Mailing } from '../mailings/mailing.entity';
import { recipientsOf } from '../runs/allowance';

/** What the check before a start reads of a mailing, each part within a time. */

type Read = Database | Transaction;

/** How long each part of the audience may be counted. */
const COUNT_MS = 3_000;
/** So many recipients are looked at, at most about, to find out how many never got a letter. */
const SAMPLED = 2_000;

export interface Recipients {
  /** Null if it takes too long to count them. */
  chosen: number | null;
  eligible: number | null;
  excluded: Partial<Record<ExclusionReason, number>>;
}

export async function recipientsFacts(sql: Read, mailing: Mailing): Promise<Recipients> {
  const chosen = isCounted(mailing)
    ? ((await recipientsOf(sql, [mailing.id])).get(mailing.id) ?? 0)
    : await countMembers(sql, mailing, COUNT_MS);
  return recipientsLeft(chosen, await excludedOf(sql, mailing));
}

/** @param excluded null if they could not be counted in time */
export function recipientsLeft(chosen: number | null, excluded: Recipients['excluded'] | null): Recipients {
  const left = Object.values(excluded ?? {}).reduce((sum, n) => sum + n, 0);
  const eligible = chosen === null || excluded === null ? null : Math.max(0, chosen - left);
  return { chosen, eligible, excluded: excluded ?? {} };
}

/** A mailing's message, compiled, and values for one letter of it. */
export interface Letter {
  content: ContentTemplate | null;
  client: LetterData['client'];
  facts: Pick<LocalFacts, 'templateErrors' | 'hidesFooter' | 'textEmpty' | 'attachedBytes'>;
}

/** Of letters in which nothing is wrong. */
export const FINE: Letter['facts'] = { templateErrors: [], hidesFooter: false, textEmpty: false };

/** What says what goes out; without a message, before one is chosen. */
type LetterSource = Pick<Mailing, 'ownerId' | 'kind' | 'language'> & { messageId: number | null };

export async function letterOf(sql: Sql, { messageId, ownerId, kind, language }: LetterSource): Promise<Letter> {
  const fields = await fieldsOf(sql, ownerId);
  const client = { ...sampleValues(fields), ...SAMPLE_CLIENT };
  const source = await sql.first<ContentSource & { attachedBytes: number }>(
    `SELECT subject, body, body_text, (SELECT coalesce(sum(f.size), 0) FROM message_attachments a
         JOIN attachment_files f USING (hash) WHERE a.message_id = m.id)::bigint AS attached_bytes
       FROM messages m WHERE id = $1`,
    [messageId],
  );
  if (!source) return { content: null, client, facts: FINE };
  const { attachedBytes } = source;
  const keys = fields.map(({ key }) => key);
  const compiled = compileContent(source, kind === 'marketing' ? language : undefined, keys);
  if (compiled.ok) {
    const facts = { ...FINE, attachedBytes, textEmpty: saysNothing(compiled.plain, client) };
    return { content: compiled.content, client, facts };
  }
  const hidesFooter = compiled.errors.every(({ code }) => code === 'footer_hidden');
  const templateErrors = new ValidationError(compiled.errors).details.errors ?? [];
  return { content: null, client, facts: { ...FINE, attachedBytes, templateErrors, hidesFooter } };
}

/**
 * @param plain the message without the standard footer
 * @returns false, too, if this letter exceeds the limits: those of other people may not
 */
function saysNothing(plain: ContentTemplate, client: LetterData['client']): boolean {
  const data = {
    client,
    mailing: { name: 'Example' },
    sender: { name: 'Example', email: 'sender@example.com' },
    date: '2027-03-31T09:00:00Z',
    unsubscribeUrl: 'https://example.com/u/example',
    senderAddress: 'Example',
    footerText: 'Example',
  };
  try {
    return plain.render(data).text.trim() === '';
  } catch (error) {
    if (error instanceof ValidationError) return false;
    throw error;
  }
}

export async function listFacts(database: Database, mailing: Mailing, chosen: number | null): Promise<ListFacts> {
  const [never, last] = await Promise.all([neverMailed(database, mailing, chosen), lastRun(database, mailing)]);
  return { never, last };
}

/**
 * How many recipients have no delivery that was sent. Of many recipients only each n-th is looked at, by its id, which
 * says nothing about its age if n does not depend on it.
 */
async function neverMailed(database: Database, mailing: Mailing, chosen: number | null): Promise<ListFacts['never']> {
  if (!chosen) return null;
  const each = Math.max(1, Math.floor(chosen / SAMPLED));
  const params: unknown[] = [mailing.id, mailing.ownerId, each];
  const inside = containsSql(await chosenBy(database, mailing), params);
  const found = await within(database, COUNT_MS, (sql) =>
    sql.first<{ of: number; never: number }>(
      `SELECT count(*) AS of, count(*) FILTER (WHERE NOT EXISTS (
                SELECT FROM deliveries d WHERE d.client_id = c.id AND d.status = 'sent')) AS never
         FROM clients c
        WHERE $1::bigint IS NOT NULL AND c.owner_id = $2 AND c.unconfirmed_since IS NULL AND c.id % $3::bigint = 0
          AND ${inside}`,
      params,
    ),
  );
  return found?.value ?? null;
}

/**
 * What became of the mailing's last run that is over: how many of its addresses were refused for good, at once or
 * later, and how many people complained.
 */
async function lastRun(database: Database, mailing: Mailing): Promise<ListFacts['last']> {
  const found = await within(database, COUNT_MS, (sql) =>
    sql.first<{ sent: number; bounced: number; complained: number }>(
      `SELECT sum(k.sent + k.failed) AS sent, sum(k.complained) AS complained,
              sum(k.bounced) + (SELECT count(*) FROM deliveries d
                 WHERE d.run_id = last.id AND d.off_path = 'failed' AND d.reason = ANY($2::text[])) AS bounced
         FROM (SELECT id FROM runs WHERE mailing_id = $1 AND status = 'done' ORDER BY id DESC LIMIT 1) last
         JOIN run_counts k ON k.run_id = last.id GROUP BY last.id`,
      [mailing.id, hardBounces],
    ),
  );
  return found?.value ?? null;
}

/**
 * How many of a mailing's recipients get nothing, by reason; null if that takes too long. It begins at the suppressions,
 * which are few beside the clients: each finds its client by an index. Those who have not confirmed their address have
 * an index of their own.
 */
export async function excludedOf(
  sql: Read,
  mailing: Addressed & Pick<Mailing, 'kind'>,
  { ms = COUNT_MS, membersIn }: { ms?: number; membersIn?: MembersIn } = {},
): Promise<Recipients['excluded'] | null> {
  const params: unknown[] = [mailing.id, mailing.ownerId, mailing.kind === 'transactional'];
  const isMember = membersIn ? membersIn(params) : containsSql(await chosenBy(sql, mailing), params);
  const found = await within(sql, ms, (bounded) =>
    bounded.rows<{ reason: ExclusionReason; n: number }>(
      `SELECT reason, count(*) AS n FROM (
         SELECT DISTINCT ON (c.id) s.reason FROM suppressions s
           JOIN clients c ON c.owner_id = $2 AND lower(c.email) = s.email_key
          WHERE ${applies({ owner: '$2', mailing: '$1', transactional: '$3' })} AND ${isMember}
            AND c.unconfirmed_since IS NULL
          ORDER BY c.id, ${GRAVEST_FIRST}) suppressed
        GROUP BY reason
        UNION ALL SELECT 'unconfirmed', count(*) FROM clients c
         WHERE c.owner_id = $2 AND c.unconfirmed_since IS NOT NULL AND ${isMember} HAVING count(*) > 0`,
      params,
    ),
  );
  return found && Object.fromEntries(found.value.map(({ reason, n }) => [reason, n]));
}
