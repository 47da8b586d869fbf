import { createHash } from 'node:crypto';
import type { DeliveryEvent } from '../../src/domain/suppression';

/** Test data: rows for tests of the ledger, bodies for tests of the API. What a test does not name is as here. */

/** Runs a statement and gives its rows; ids may come as text. */
export type Query = <T>(sql: string, params?: unknown[]) => Promise<T[]>;

let made = 0;

/** A message's body for the API. */
export const messageBody = (more: object = {}) => ({ subject: 'Hi', body: '<p>Hi</p>', ...more });

/** A mailing's body for the API: to all, once, tomorrow. */
export const mailingBody = (messageId: number, more: object = {}) => ({
  messageId,
  audience: 'all',
  startAt: new Date(Date.now() + 86_400_000).toISOString(),
  period: 'once',
  ...more,
});

export const addresses = (count: number, local = 'c'): string[] =>
  Array.from({ length: count }, (_, i) => `${local}${i + 1}@example.com`);

export interface NewMailing {
  ownerId: number;
  /** A new one, if it is not given. */
  messageId?: number;
  name?: string;
  /** The addresses of new clients, by the mailing's id; without them the mailing is to all. */
  recipients?: (mailingId: number) => string[];
  status?: 'created' | 'started';
  /** Now, if it is not given. */
  startAt?: Date;
  period?: 'once' | 'daily';
  onUnknown?: 'resend' | 'hold';
}

/** Makes rows past the services, any number at once; each function returns ids. */
export class Factories {
  constructor(private readonly query: Query) {}

  async user({ email = `user${++made}@example.com`, role = 'user', token = '' } = {}): Promise<number> {
    const id = await this.one('INSERT INTO users (email, role) VALUES ($1, $2) RETURNING id', email, role);
    if (token) {
      const hash = createHash('sha256').update(token).digest();
      await this.one(
        'INSERT INTO api_tokens (user_id, name, token_hash) VALUES ($1, $2, $3) RETURNING id',
        id,
        'test',
        hash,
      );
    }
    return id;
  }

  /** Clients with these addresses, in this order, called `Client 1` and so on. */
  clients(ownerId: number, emails: string[]): Promise<number[]> {
    return this.ids(
      `INSERT INTO clients (owner_id, email, full_name)
       SELECT $1, email, 'Client ' || n FROM unnest($2::text[]) WITH ORDINALITY AS u (email, n) ORDER BY n RETURNING id`,
      ownerId,
      emails,
    );
  }

  message(ownerId: number, { subject = 's', body = '<p>b</p>' } = {}): Promise<number> {
    return this.one(
      'INSERT INTO messages (owner_id, subject, body) VALUES ($1, $2, $3) RETURNING id',
      ownerId,
      subject,
      body,
    );
  }

  async mailing({ ownerId, recipients, ...more }: NewMailing): Promise<number> {
    const { messageId = await this.message(ownerId), name = 'News', status = 'created', onUnknown = 'resend' } = more;
    const id = await this.one(
      `INSERT INTO mailings (owner_id, message_id, name, audience, status, start_at, period, time_zone, on_unknown)
       VALUES ($1, $2, $3, $4, $5, coalesce($6, now()), $7, 'UTC', $8) RETURNING id`,
      ...[ownerId, messageId, name, recipients ? 'selected' : 'all', status],
      ...[more.startAt ?? null, more.period ?? 'once', onUnknown],
    );
    if (recipients) await this.select(id, await this.clients(ownerId, recipients(id)));
    return id;
  }

  /** Makes these clients the mailing's recipients. */
  async select(mailingId: number, clientIds: number[]): Promise<void> {
    await this.query(
      'INSERT INTO mailing_clients (mailing_id, client_id) SELECT $1, c FROM unnest($2::bigint[]) WITH ORDINALITY AS u (c, n) ORDER BY n',
      [mailingId, clientIds],
    );
  }

  /** A run of this mailing for this very moment, not planned yet. */
  run(mailingId: number): Promise<number> {
    return this.one(
      `INSERT INTO runs (mailing_id, owner_id, occurrence_at, trigger, status, on_unknown)
       SELECT id, owner_id, date_trunc('milliseconds', now()), 'demand', 'planning', on_unknown FROM mailings WHERE id = $1 RETURNING id`,
      mailingId,
    );
  }

  /** So many `ok` attempts of each delivery of these runs; the deliveries stay as they are. */
  async attempts(runIds: number[], each = 1): Promise<void> {
    await this.query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
       SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, 1, n, 'ok'
         FROM deliveries d JOIN runs r ON r.id = d.run_id, generate_series(1, $2::int) n WHERE r.id = ANY($1)`,
      [runIds, each],
    );
  }

  /** So many events of this kind for each of these deliveries. */
  async events(deliveryIds: number[], kind: DeliveryEvent, each = 1): Promise<void> {
    await this.query(
      `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source)
       SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, $2, 'smtp'
         FROM deliveries d JOIN runs r ON r.id = d.run_id, generate_series(1, $3::int) WHERE d.id = ANY($1) ORDER BY d.id`,
      [deliveryIds, kind, each],
    );
  }

  /** A worker's row; a stopped one was marked as silent. */
  worker({ stopped = false, host = 'test' } = {}): Promise<number> {
    return this.one(
      `INSERT INTO workers (host, pid, version, stopped_at) VALUES ($1, 1, '0', CASE WHEN $2 THEN clock_timestamp() END) RETURNING id`,
      host,
      stopped,
    );
  }

  private async ids(sql: string, ...params: unknown[]): Promise<number[]> {
    return (await this.query<{ id: number | string }>(sql, params)).map(({ id }) => Number(id));
  }

  private async one(sql: string, ...params: unknown[]): Promise<number> {
    const [id] = await this.ids(sql, ...params);
    if (id === undefined) throw new Error(`No row: ${sql}`);
    return id;
  }
}
