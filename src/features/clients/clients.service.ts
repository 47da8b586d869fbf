import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database, type Transaction, violates } from '../../database/database';
import { listPage } from '../../database/list';
import { notWritable } from '../../database/owned';
import { type ClientColumn, fileColumns, fileHead } from '../../domain/client-columns';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { checkValues, type FieldValues, changedValues, valuesProblem, valueText } from '../../domain/client-fields';
import { checkClient, type ClientInput as BuiltIn } from '../../domain/client-input';
import { csvRow } from '../../domain/csv-records';
import { emailKey } from '../../domain/email-address';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { at } from '../../domain/problems';
import { checkTags } from '../../domain/tag-names';
import { audit } from '../audit/audit';
import { recogniseErased } from '../consent/suppressions';
import { Client } from './client.entity';
import { type ClientFilter, inTime, listedClients } from './client-list';
import { setTags } from './client-tags';
import { CLIENT_VIEW, type ClientRow, type ClientView, clientOf, readClient, TAG_NAMES } from './client-view';
import { deleteClients } from './delete-clients';
import { fieldsOf, holdFields } from './field-definitions';
import { NewClients } from './new-clients';

/** A client as a request or a form gives it. */
export interface ClientInput extends BuiltIn {
  /** Of the owner's fields those that change; null takes a value away. */
  fields?: Record<string, unknown>;
  /** The names of all tags that the client is to have; those that do not exist are made. */
  tags?: string[];
}

/**
 * What changes of a client; `confirmed`: the owner vouches that the address's person wants the letters; `version`: the
 * one that the caller began with.
 */
export type ClientChange = Partial<ClientInput> & { confirmed?: true; version?: number };

export const clientSorts = ['id', '-id', 'email', '-email', 'fullName', '-fullName'] as const;
export interface ClientQuery extends PageRequest, ClientFilter {
  sort?: (typeof clientSorts)[number];
}

const SORT_KEYS = {
  id: [],
  email: [{ expression: 'lower(c.email)', type: 'text' as const }],
  fullName: [{ expression: 'c.full_name', type: 'text' as const }],
};

const EXPORT_PAGE = 2_000;

@Injectable()
export class ClientsService {
  constructor(
    private readonly database: Database,
    private readonly newClients: NewClients,
  ) {}

  async list(viewer: Viewer, query: ClientQuery): Promise<Page<ClientView>> {
    const sort = query.sort ?? '-id';
    const { where, params, count } = await listedClients(this.database, viewer, query);
    const slow = query.searchIn ? 'SEARCH_TOO_SLOW' : query.segmentId === undefined ? null : 'SEGMENT_TOO_SLOW';
    const sql = slow === null ? this.database : inTime(this.database, slow);
    const page = await listPage<ClientRow>(
      sql,
      {
        ...CLIENT_VIEW,
        where,
        params,
        key: [...SORT_KEYS[sort.replace('-', '') as keyof typeof SORT_KEYS], { expression: 'c.id', type: 'bigint' }],
        descending: sort.startsWith('-'),
        ...(count && { total: count }),
      },
      query,
    );
    return { ...page, items: page.items.map(clientOf) };
  }

  /**
   * The clients of a list, in id order, as a CSV file that `import` takes back unchanged and spreadsheets open: it
   * begins with a byte order mark and contains no formulas. It has the fields of the owner who is asked for, else the
   * viewer's own. Read in pages as it is consumed; no connection is kept in between.
   */
  async *exportCsv(viewer: Viewer, filter: ClientFilter = {}): AsyncGenerator<string> {
    await audit(this.database, viewer, 'clients.export');
    const readable = readableOwner(viewer);
    const owner = readable ?? filter.ownerId ?? viewer.userId;
    const columns = fileColumns(await fieldsOf(this.database, owner));
    const { where, params } = await listedClients(this.database, viewer, filter);
    yield `\uFEFF${csvRow(columns.map(fileHead))}`;
    for (let after = 0; ;) {
      const page = await this.database.shares.take(() =>
        this.database.rows<Client & { tags: string[] }>(
          `SELECT c.*, ${TAG_NAMES} AS tags FROM clients c
            WHERE ${where} AND c.id > $${params.length + 1} ORDER BY c.id LIMIT ${EXPORT_PAGE}`,
          [...params, after],
        ),
      );
      const last = page.at(-1);
      if (!last) return;
      yield page.map((client) => csvRow(columns.map((column) => fileText(client, column)))).join('');
      after = last.id;
    }
  }

  /** The addresses of these clients, as far as the viewer may read them. */
  async emails(viewer: Viewer, ids: number[]): Promise<string[]> {
    const rows = await this.database.rows<{ email: string }>(
      'SELECT email FROM clients WHERE id = ANY($2::bigint[]) AND ($1::bigint IS NULL OR owner_id = $1) ORDER BY id',
      [readableOwner(viewer), ids],
    );
    return rows.map(({ email }) => email);
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
   * A client who only signed up, and has not confirmed the address, becomes the owner's, who vouches for them by this:
   * otherwise any stranger could keep an address from the owner's mailings by entering it in a form first.
   * @throws ValidationError
   * @throws ConflictError EMAIL_TAKEN if the owner has a client with this address, in whatever case; TAGS_FULL
   */
  async create(viewer: Viewer, input: ClientInput): Promise<ClientView> {
    const { userId } = viewer;
    return this.takenAware(input.email, () =>
      this.database.transaction(async (tx) => {
        const signedUp = await unconfirmed(tx, userId, input.email);
        if (signedUp) return this.change(tx, viewer, signedUp, { ...input, confirmed: true });
        const { client, tags } = await checked(tx, userId, input, {});
        const clients = clientsIn(tx.manager);
        const { id } = await clients.save(clients.create({ ownerId: userId, ...client }));
        if (tags) await setTags(tx, userId, id, tags);
        await recogniseErased(tx, userId, id);
        await this.newClients.announce(tx, userId, id);
        const view = await readClient(tx, id, userId);
        if (!view) throw new Error('an insert returned no row');
        return view;
      }),
    );
  }

  /**
   * Fields that are not named keep their values; `tags` replace those that the client has.
   * @throws ConflictError EMAIL_TAKEN, TAGS_FULL, CHANGED_MEANWHILE
   */
  async update(viewer: Viewer, id: number, change: ClientChange): Promise<ClientView> {
    return this.takenAware(change.email ?? '', () =>
      this.database.transaction(async (tx) => {
        const where = one(id, writableOwner(viewer));
        // Locked, so that two changes of different fields do not undo each other.
        const current = await clientsIn(tx.manager).findOne({ where, lock: { mode: 'for_no_key_update' } });
        if (!current) throw await notWritable(tx, viewer, 'Client', id);
        return this.change(tx, viewer, current, change);
      }),
    );
  }

  /** Changes a client whom the caller has locked. Who is confirmed by it gets the mailings that are planned later. */
  private async change(tx: Transaction, viewer: Viewer, current: Client, change: ClientChange): Promise<ClientView> {
    const { id, ownerId, fields } = current;
    const { client, tags } = await checked(tx, ownerId, { ...current, fields: {}, ...given(change) }, fields);
    const had = tags && (await tagsOf(tx, id));
    const otherTags = had !== undefined && !sameTags(tags ?? [], had);
    const { email, fullName, comment } = current;
    await requireVersion(
      tx,
      current,
      change.version,
      () => !otherTags && sameContent(client, { email, fullName, comment, fields }),
    );
    await actAs(tx, viewer);
    const confirms = change.confirmed === true && current.unconfirmedSince !== null;
    await clientsIn(tx.manager).update(
      { id },
      {
        ...client,
        ...(confirms && { unconfirmedSince: null }),
        // Tags stand in another table.
        ...(otherTags && { version: () => 'version + 1' }),
        updatedAt: () => 'app_now()',
      },
    );
    if (confirms) await audit(tx, viewer, 'client.confirm', { type: 'client', id });
    if (tags) await setTags(tx, ownerId, id, tags);
    await recogniseErased(tx, ownerId, id, id);
    const view = await readClient(tx, id, ownerId);
    if (!view) throw new NotFoundError('Client', id);
    return view;
  }

  /** Deletes the client. Their deliveries and attempts stay in the ledger; open deliveries are skipped. */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const mine = await clientsIn(tx.manager).existsBy(one(id, writableOwner(viewer)));
      if (!mine || (await deleteClients(tx, [id])).length === 0) throw await notWritable(tx, viewer, 'Client', id);
      await audit(tx, viewer, 'client.delete', { type: 'client', id });
    });
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

const sameTags = (some: readonly string[], others: readonly string[]): boolean => {
  const keys = (names: readonly string[]) => names.map((name) => name.toLowerCase()).sort();
  return sameContent(keys(some), keys(others));
};

async function tagsOf(tx: Transaction, id: number): Promise<string[]> {
  const row = await tx.first<{ tags: string[] }>(`SELECT ${TAG_NAMES} AS tags FROM clients c WHERE c.id = $1`, [id]);
  return row?.tags ?? [];
}

/** One client, of this owner or (null) of anybody. */
const one = (id: number, owner: number | null) => ({ id, ...(owner !== null && { ownerId: owner }) });

/** The owner's client with this address, locked, if nobody has confirmed it. */
async function unconfirmed(tx: Transaction, ownerId: number, email: string): Promise<Client | undefined> {
  const key = emailKey(email);
  if (key === null) return undefined;
  return tx.first<Client>(
    `SELECT * FROM clients WHERE owner_id = $1 AND lower(email) = $2 AND unconfirmed_since IS NOT NULL
      FOR NO KEY UPDATE`,
    [ownerId, key],
  );
}

/** An input that may become a client, whose present values are these. @throws ValidationError naming all that is wrong */
async function checked(tx: Transaction, ownerId: number, input: ClientInput, values: FieldValues) {
  const client = checkClient(input);
  const { fields = {}, tags } = input;
  // Who gives no fields need not wait for those who change them.
  const own = Object.keys(fields).length > 0 ? checkValues(await holdFields(tx, ownerId), fields) : NO_CHANGE;
  const labels = tags && checkTags(tags);
  const after = changedValues(values, own.change);
  const errors = [...own.errors, ...at('fields', valuesProblem(after)), ...(labels?.errors ?? [])];
  if (!client.ok || errors.length > 0) throw new ValidationError([...(client.ok ? [] : client.errors), ...errors]);
  return { client: { ...client.client, fields: after }, tags: labels?.names };
}

const NO_CHANGE = { change: {}, errors: [] };

const fileText = (client: Client & { tags: string[] }, { key, own, type }: ClientColumn): string => {
  if (own) return valueText(client.fields[key]);
  return type === 'tags' ? client.tags.join(',') : String(client[key as 'email' | 'fullName' | 'comment']);
};

/** What the caller gave; null means absent. */
const given = (change: ClientChange): ClientChange =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined));

/**
 * Waits for transactions that are adding clients, and keeps others from adding any until this transaction is committed.
 * A mailing to all that is started after this reaches every client: those who were being added are committed, those who
 * are added later find the mailing started.
 */
export async function settleClients(tx: Transaction): Promise<void> {
  await tx.rows(`SELECT pg_advisory_xact_lock_shared(hashtext('clients_count'))`);
}
