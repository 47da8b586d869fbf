import { Injectable } from '@nestjs/common';
import { within } from '../../database/bounded';
import { Database, type Sql } from '../../database/database';
import { anywhere, searched } from '../../database/search';
import type { Page } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { clientMatches, searchPatterns } from '../clients/client-list';
import { type AttemptQuery, type AttemptSearch, AttemptsService, type AttemptView } from '../ledger/attempts.service';

export interface AttemptsAsked extends AttemptQuery {
  /** What stands anywhere in the client's address or name, */
  client?: string;
  /** and in the mailing's name or its message's subject. */
  mailing?: string;
  /** Only the last attempts of deliveries that ended as failed; `from` and `to` are then about when they ended so. */
  final?: boolean;
}

/** Up to so many clients or mailings a search begins with them, else with the newest attempts. */
const FEW_CLIENTS = 1_000;
const FEW = 200;
/** How long each statement of a search may take. */
const SEARCH_MS = 5_000;

const OWNED = (table: string) =>
  `($1::bigint IS NULL OR ${table}.owner_id = $1) AND ($2::bigint IS NULL OR ${table}.owner_id = $2)`;

/** Finds attempts by what people know: a part of a name, of an address, of a mailing's name, or how a letter ended. */
@Injectable()
export class AttemptSearchService {
  constructor(
    private readonly database: Database,
    private readonly attempts: AttemptsService,
  ) {}

  /** Newest first; null if it takes too long to find them. */
  async find(viewer: Viewer, { client, mailing, ...asked }: AttemptsAsked): Promise<Page<AttemptView> | null> {
    if (!client?.trim() && !mailing?.trim() && !asked.final) return this.attempts.list(viewer, asked);
    const read = await within(this.database, SEARCH_MS, async (sql) => {
      const owners = [readableOwner(viewer), asked.ownerId ?? null];
      const search: AttemptSearch = { ...asked, conditions: [] };
      await narrowToClients(sql, search, owners, client);
      await narrowToMailings(sql, search, owners, mailing);
      if (asked.final) await narrowToRuns(sql, search, owners);
      return this.attempts.list(viewer, search, sql);
    });
    return read && read.value;
  }
}

async function narrowToClients(sql: Sql, search: AttemptSearch, owners: unknown[], text: string | undefined) {
  const patterns = searchPatterns({ search: text });
  if (patterns === null) return;
  const rows = await sql.rows<{ id: number }>(
    `SELECT c.id FROM clients c WHERE ${OWNED('c')} AND ${clientMatches('$3::text')} LIMIT ${FEW_CLIENTS + 1}`,
    [...owners, patterns],
  );
  if (rows.length <= FEW_CLIENTS) search.clientIds = rows.map(({ id }) => id);
  else
    search.conditions?.push(
      (value) => `EXISTS (SELECT FROM clients f WHERE f.id = t.client_id AND f.owner_id = t.owner_id
        AND ${clientMatches(`${value(patterns)}::text`, 'f')})`,
    );
}

async function narrowToMailings(sql: Sql, search: AttemptSearch, owners: unknown[], text: string | undefined) {
  const pattern = anywhere(text);
  if (pattern === null) return;
  const named = (term: string) => `SELECT m.id FROM mailings m LEFT JOIN messages s ON s.id = m.message_id
    WHERE (${searched('m.name')} LIKE ${searched(term)} OR ${searched('s.subject')} LIKE ${searched(term)})`;
  const rows = await sql.rows<{ id: number }>(`${named('$3::text')} AND ${OWNED('m')} LIMIT ${FEW + 1}`, [
    ...owners,
    pattern,
  ]);
  if (rows.length <= FEW) search.among = { column: 'mailing_id', ids: rows.map(({ id }) => id) };
  else search.conditions?.push((value) => `t.mailing_id IN (${named(`${value(pattern)}::text`)})`);
}

/** A run that was over before that time has no delivery that failed later, but for answers that came late. */
const LATE = `interval '1 hour'`;

/** Deliveries that failed since some time are looked for in the runs that the counters and their ends leave. */
async function narrowToRuns(sql: Sql, search: AttemptSearch, owners: unknown[]) {
  const { from, to, among, clientIds } = search;
  if (from === undefined || clientIds !== undefined) return;
  const rows = await sql.rows<{ id: number }>(
    `SELECT r.id FROM runs r
      WHERE ${OWNED('r')} AND (r.finished_at IS NULL OR r.closing OR r.finished_at >= $3::timestamptz - ${LATE})
        AND r.mailing_id IN (SELECT s.mailing_id FROM stats s WHERE ${OWNED('s')} AND s.failed <> 0
          AND s.bucket_at >= stats_bucket($3) AND ($4::timestamptz IS NULL OR s.bucket_at < $4))
        AND ($5::bigint[] IS NULL OR r.mailing_id = ANY($5))
      LIMIT ${FEW + 1}`,
    [...owners, from, to ?? null, among?.ids ?? null],
  );
  if (rows.length <= FEW) search.among = { column: 'run_id', ids: rows.map(({ id }) => id) };
}
