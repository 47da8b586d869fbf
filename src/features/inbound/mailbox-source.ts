import { createHash } from 'node:crypto';
import type { Sql } from '../../database/database';
import type { MailboxProblem } from '../../mailbox/mailbox-failure';
import type { MailboxSettings } from '../../mailbox/mailbox-url';

/** How far a mailbox is read. */
export interface MailboxCursor {
  /** Of the folder when it was read last; 0: never. */
  uidValidity: number;
  lastUid: number;
  /** Kept, but not put away yet. */
  toFile: number[];
}

export interface Lease extends MailboxCursor {
  /** Sealed. */
  refreshToken: Buffer | null;
}

/** Somebody else reads the mailbox by now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** What a mailbox is called: another place, user or folder is another mailbox. */
export const sourceName = ({ host, port, user, folder }: MailboxSettings): string =>
  `mailbox:${createHash('sha256').update([host, port, user, folder].join('\0')).digest('hex').slice(0, 32)}`;

/**
 * The row of a mailbox. One worker reads it: the one that holds the lease, which is free when it was given up or is
 * over, by the database's clock; one that ends later than any lease can was given before that clock was put back.
 * Beyond the lease each step forward names the one before, so that of two that read at once only one gets on.
 */
export class MailboxSource {
  constructor(
    private readonly name: string,
    private readonly leaseMs: number,
  ) {}

  /** Takes the lease, or holds it for longer. @returns null if another worker has it */
  async take(sql: Sql, worker: number): Promise<Lease | null> {
    const row = await sql.first<Omit<Lease, 'toFile'> & { toFile: string }>(
      `INSERT INTO inbound_sources AS s (name, lease_worker, lease_until)
       VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
       ON CONFLICT (name) DO UPDATE SET lease_worker = excluded.lease_worker, lease_until = excluded.lease_until
         WHERE s.lease_worker = $2 OR s.lease_until IS NULL
            OR s.lease_until NOT BETWEEN clock_timestamp() AND clock_timestamp() + $3 * interval '1 millisecond'
       RETURNING uid_validity, last_uid, array_to_string(to_file, ',') AS to_file, refresh_token`,
      [this.name, worker, this.leaseMs],
    );
    if (!row) return null;
    return { ...row, toFile: row.toFile === '' ? [] : row.toFile.split(',').map(Number) };
  }

  /** Lets others have it at once. */
  release(sql: Sql, worker: number, problem: MailboxProblem | null): Promise<number> {
    return sql.affected(
      `UPDATE inbound_sources SET lease_until = NULL, last_error = coalesce($3, last_error)
        WHERE name = $1 AND lease_worker = $2`,
      [this.name, worker, problem],
    );
  }

  /** The folder is another one, or its letters were numbered anew: all are looked at again. @throws LeaseLost */
  async begin(sql: Sql, worker: number, uidValidity: number): Promise<void> {
    const done = await sql.affected(
      `UPDATE inbound_sources SET uid_validity = $3, last_uid = 0, to_file = '{}'
        WHERE name = $1 AND lease_worker = $2`,
      [this.name, worker, uidValidity],
    );
    if (done === 0) throw new LeaseLost();
  }

  /** All letters from there to here were looked at, of which this one, if any, is to be put away. @throws LeaseLost */
  async advance(sql: Sql, worker: number, from: MailboxCursor, uid: number, toFile: number[]): Promise<void> {
    const done = await sql.affected(
      `UPDATE inbound_sources SET last_uid = $5, to_file = to_file || $6::bigint[]
        WHERE name = $1 AND lease_worker = $2 AND uid_validity = $3 AND last_uid = $4`,
      [this.name, worker, from.uidValidity, from.lastUid, uid, toFile],
    );
    if (done === 0) throw new LeaseLost();
  }

  /** These were put away. */
  filed(sql: Sql, uidValidity: number, uids: number[]): Promise<number> {
    return sql.affected(
      `UPDATE inbound_sources SET to_file = ARRAY(SELECT uid FROM unnest(to_file) uid WHERE uid <> ALL($3::bigint[]))
        WHERE name = $1 AND uid_validity = $2`,
      [this.name, uidValidity, uids],
    );
  }

  /** It was looked at as far as there is anything. */
  looked(sql: Sql, worker: number): Promise<number> {
    return sql.affected(
      `UPDATE inbound_sources SET last_ok_at = clock_timestamp(), last_error = NULL
        WHERE name = $1 AND lease_worker = $2`,
      [this.name, worker],
    );
  }

  keepToken(sql: Sql, sealed: Buffer): Promise<number> {
    return sql.affected('UPDATE inbound_sources SET refresh_token = $2 WHERE name = $1', [this.name, sealed]);
  }

  /** `isLate`: it was not looked at for this long. */
  async state(
    sql: Sql,
    lateMs: number,
  ): Promise<{ lastOkAt: Date | null; lastError: MailboxProblem | null; isLate: boolean } | null> {
    const row = await sql.first<{ lastOkAt: Date | null; lastError: MailboxProblem | null; isLate: boolean }>(
      `SELECT last_ok_at, last_error,
              coalesce(last_ok_at, created_at) < clock_timestamp() - $2 * interval '1 millisecond' AS is_late
         FROM inbound_sources WHERE name = $1`,
      [this.name, lateMs],
    );
    return row ?? null;
  }
}
