import { within } from '../../database/bounded';
import type { Database } from '../../database/database';
import type { Language } from '../../domain/language';
import type { MailingKind } from '../../domain/suppression';
import { audienceOf, isCounted } from '../audiences/audiences';
import { type Addressed, chosenBy, containsSql, countMembers, letInSql, type MembersIn } from '../audiences/members';
import { whySuppressed } from '../consent/suppression-sql';
import { excludedOf, type Recipients, recipientsLeft } from './preflight-facts';

/** A mailing that is being made, as far as it says what goes to whom. */
export type DraftMailing = Addressed & {
  kind: MailingKind;
  language: Language;
  /** Null until one is chosen. */
  messageId: number | null;
  /** Clients who are about to be selected, beside those who are. */
  clientIds: number[];
};

export interface DraftRecipients extends Recipients {
  /** The first of those who get it. */
  first: { email: string; fullName: string }[];
}

const FIRST = 5;

/** Who would get it. Each part that takes longer than `ms` is left out. */
export async function draftRecipients(database: Database, draft: DraftMailing, ms: number): Promise<DraftRecipients> {
  const { clientIds } = draft;
  const chosenIn = await chosenBy(database, draft);
  const membersIn: MembersIn = (params) =>
    clientIds.length === 0
      ? containsSql(chosenIn, params)
      : `(${audienceOf(draft).contains} OR c.id = ANY($${params.push(clientIds)}::bigint[]))
         AND ${letInSql(chosenIn, params)}`;
  const [chosen, excluded, first] = await Promise.all([
    countDraft(database, draft, membersIn, ms),
    excludedOf(database, draft, { ms, membersIn }),
    firstOf(database, draft, membersIn, ms),
  ]);
  return { ...recipientsLeft(chosen, excluded), first };
}

/** Of all clients there is a counter; others are counted. */
async function countDraft(
  database: Database,
  draft: DraftMailing,
  membersIn: MembersIn,
  ms: number,
): Promise<number | null> {
  const { count, grows } = audienceOf(draft);
  if (!isCounted(draft) || !grows) return countMembers(database, draft, ms, membersIn);
  const row = await database.first<{ n: number }>(`SELECT ${count} AS n FROM (SELECT $1::bigint AS owner_id) m`, [
    draft.ownerId,
  ]);
  return row?.n ?? 0;
}

async function firstOf(
  database: Database,
  draft: DraftMailing,
  membersIn: MembersIn,
  ms: number,
): Promise<DraftRecipients['first']> {
  const params: unknown[] = [draft.id, draft.ownerId, draft.kind === 'transactional'];
  const inside = membersIn(params);
  const of = { email: 'c.email', owner: '$2', mailing: '$1', transactional: '$3' };
  const found = await within(database, ms, (sql) =>
    sql.rows<DraftRecipients['first'][number]>(
      `SELECT c.email, c.full_name FROM clients c, ${whySuppressed(of)}
        WHERE c.owner_id = $2 AND ${inside} AND c.unconfirmed_since IS NULL AND why.reason IS NULL
        ORDER BY c.id LIMIT ${FIRST}`,
      params,
    ),
  );
  return found?.value ?? [];
}
