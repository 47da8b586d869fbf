import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database, type Transaction, violates } from '../../database/database';
import { notWritable } from '../../database/owned';
import { listPage } from '../../database/list';
import { literal, searched } from '../../database/search';
import { checkClient, type ClientInput } from '../../domain/client-input';
import { csvRow } from '../../domain/csv-records';
import { emailKey } from '../../domain/email-address';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { recogniseErased } from '../consent/suppressions';
import { deleteClient } from '../ledger/moves';
import { Client } from './client.entity';
import { CLIENT_VIEW, type ClientRow, type ClientView, clientOf, readClient } from './client-view';
import { NewClients } from './new-clients';
import { narrowToSegment } from './segment-members';

export const clientSorts = ['id', '-id', 'email', '-email', 'fullName', '-fullName'] as const;
export interface ClientQuery extends PageRequest {
  search?: string;
  sort?: (typeof clientSorts)[number];
  ownerId?: number;
  /** Only those who belong to this segment. */
  segmentId?: number;
}

const SORT_KEYS = {
  id: [],
  email: [{ expression: 'lower(c.email)', type: 'text' as const }],
  fullName: [{ expression: 'c.full_name', type: 'text' as const }],
};

const EXPORT_PAGE = 2_000;
/** SQL: whether the client `c` matches `searchPatterns`; the left side is the expression of the trigram index. */
export const clientMatches = (patterns: string): string =>
  `${searched(`c.email || ' ' || c.full_name`)} LIKE ANY (string_to_array(${searched(patterns)}, E'\\n'))`;
/**
 * SQL: which clients a list shows: $1 the owner whose clients the viewer may read, $2 the requested owner, $3 the
 * search patterns.
 */
const LISTED = `($1::bigint IS NULL OR c.owner_id = $1) AND ($2::bigint IS NULL OR c.owner_id = $2)
                 AND ($3::text IS NULL OR ${clientMatches('$3')})`;

/**
 * The LIKE patterns of a search, one per line. A term is found anywhere; one of one or two characters only at the
 * beginning of a word, because the trigram index finds nothing shorter inside of words. An address is also searched for
 * in its stored form.
 */
export function searchPatterns({ search = '' }: Pick<ClientQuery, 'search'>): string | null {
  const term = search.trim().replaceAll('\n', ' ');
  if (!term) return null;
  const patterns = term.length < 3 ? [`${literal(term)}%`, `% ${literal(term)}%`] : [`%${literal(term)}%`];
  const address = emailKey(term);
  if (address) patterns.push(`%${literal(address)}%`);
  return patterns.join('\n');
}

@Injectable()
export class ClientsService {
  constructor(
    private readonly database: Database,
    private readonly newClients: NewClients,
  ) {}

  async list(viewer: Viewer, query: ClientQuery): Promise<Page<ClientView>> {
    const sort = query.sort ?? '-id';
    const owner = query.ownerId ?? null;
    const search = searchPatterns(query);
    const listed = { where: LISTED, params: [readableOwner(viewer), owner, search] };
    const { sql, ...narrowed } = await narrowToSegment(this.database, viewer, query.segmentId, listed);
    const page = await listPage<ClientRow>(
      sql,
      {
        ...CLIENT_VIEW,
        ...narrowed,
        key: [...SORT_KEYS[sort.replace('-', '') as keyof typeof SORT_KEYS], { expression: 'c.id', type: 'bigint' }],
        descending: sort.startsWith('-'),
        ...(search === null && !query.segmentId ? { total: () => this.count(viewer, owner) } : {}),
      },
      query,
    );
    return { ...page, items: page.items.map(clientOf) };
  }

  /**
   * The clients of a list, in id order, as a CSV file that `import` takes back unchanged and spreadsheets open: it
   * begins with a byte order mark and contains no formulas. Read in pages as it is consumed; no connection is kept in
   * between.
   */
  async *exportCsv(viewer: Viewer, query: Pick<ClientQuery, 'search' | 'ownerId'> = {}): AsyncGenerator<string> {
    await audit(this.database, viewer, 'clients.export');
    yield `\uFEFF${csvRow(['email', 'full_name', 'comment'])}`;
    for (let after = 0; ;) {
      const page = await this.database.rows<Pick<Client, 'id' | 'email' | 'fullName' | 'comment'>>(
        `SELECT c.id, c.email, c.full_name, c.comment FROM clients c
          WHERE ${LISTED} AND c.id > $4 ORDER BY c.id LIMIT ${EXPORT_PAGE}`,
        [readableOwner(viewer), query.ownerId ?? null, searchPatterns(query), after],
      );
      const last = page.at(-1);
      if (!last) return;
      yield page.map((c) => csvRow([c.email, c.fullName, c.comment])).join('');
      after = last.id;
    }
  }

  /** The ids of the viewer's own clients with these addresses, by address (as `emailKey` returns it). */
  async idsByEmail(viewer: Viewer, emails: string[]): Promise<Map<string, number>> {
    const rows = await this.database.rows<{ email: string; id: number }>(
      'SELECT lower(email) AS email, id FROM clients WHERE owner_id = $1 AND lower(email) = ANY($2::text[])',
      [viewer.userId, emails],
    );
    return new Map(rows.map(({ email, id }) => [email, id]));
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<ClientView> {
    const client = await readClient(this.database, id, readableOwner(viewer));
    if (!client) throw new NotFoundError('Client', id);
    return client;
  }

  /**
   * @throws ValidationError
   * @throws ConflictError EMAIL_TAKEN if the owner has a client with this address, in whatever case
   */
  async create(viewer: Viewer, input: ClientInput): Promise<ClientView> {
    const checked = checkClient(input);
    if (!checked.ok) throw new ValidationError(checked.errors);
    return this.takenAware(checked.client.email, () =>
      this.database.transaction(async (tx) => {
        const clients = clientsIn(tx.manager);
        const { id } = await clients.save(clients.create({ ownerId: viewer.userId, ...checked.client }));
        await recogniseErased(tx, viewer.userId, id);
        await this.newClients.announce(tx, viewer.userId, id);
        const client = await readClient(tx, id, viewer.userId);
        if (!client) throw new Error('an insert returned no row');
        return client;
      }),
    );
  }

  async update(viewer: Viewer, id: number, change: Partial<ClientInput>): Promise<ClientView> {
    const current = await this.getWritable(viewer, id);
    const checked = checkClient({ ...current, ...given(change) });
    if (!checked.ok) throw new ValidationError(checked.errors);
    const updated = await this.takenAware(checked.client.email, () =>
      this.database.transaction(async (tx) => {
        const where = one(id, writableOwner(viewer));
        await clientsIn(tx.manager).update(where, { ...checked.client, updatedAt: () => 'app_now()' });
        const changed = await clientsIn(tx.manager).findOneBy(where);
        if (!changed) return undefined;
        await recogniseErased(tx, changed.ownerId, id, id);
        return readClient(tx, id, changed.ownerId);
      }),
    );
    if (!updated) throw new NotFoundError('Client', id);
    return updated;
  }

  /** Deletes the client. Their deliveries and attempts stay in the ledger; open deliveries are skipped. */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { affected } = await clientsIn(tx.manager).delete(one(id, writableOwner(viewer)));
      if (!affected) throw await notWritable(tx, viewer, 'Client', id);
      await audit(tx, viewer, 'client.delete', { type: 'client', id });
      await deleteClient(tx, id);
    });
  }

  private async getWritable(viewer: Viewer, id: number): Promise<Client> {
    const client = await clientsIn(this.database.dataSource).findOneBy(one(id, writableOwner(viewer)));
    if (!client) throw await notWritable(this.database, viewer, 'Client', id);
    return client;
  }

  /** From the counters that the database keeps, never by counting clients. */
  private async count(viewer: Viewer, owner: number | null): Promise<number> {
    const row = await this.database.first<{ n: number }>(
      `SELECT coalesce(sum(clients), 0)::bigint AS n FROM client_totals
        WHERE owner_id <> 0 AND ($1::bigint IS NULL OR owner_id = $1) AND ($2::bigint IS NULL OR owner_id = $2)`,
      [readableOwner(viewer), owner],
    );
    return row?.n ?? 0;
  }

  private async takenAware<T>(email: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!violates(error, 'clients_owner_id_email_key')) throw error;
      throw new ConflictError('EMAIL_TAKEN', `There is a client with the address ${email} already.`);
    }
  }
}

const clientsIn = (source: Pick<EntityManager, 'getRepository'>) => source.getRepository(Client);

/** One client, of this owner or (null) of anybody. */
const one = (id: number, owner: number | null) => ({ id, ...(owner !== null && { ownerId: owner }) });

/** The fields that the caller gave; null means absent. */
const given = (change: Partial<ClientInput>): Partial<ClientInput> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined));

/**
 * Waits for transactions that are adding clients, and keeps others from adding any until this transaction is committed.
 * A mailing to all that is started after this reaches every client: those who were being added are committed, those who
 * are added later find the mailing started.
 */
export async function settleClients(tx: Transaction): Promise<void> {
  await tx.rows(`SELECT pg_advisory_xact_lock_shared(hashtext('clients_count'))`);
}
