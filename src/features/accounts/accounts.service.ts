import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { type AccountReason, SAME_REFUSAL, type AccountEvent } from '../../domain/codes';
import type { Page, PageRequest } from '../../domain/paging';
import { requireMay, type Viewer } from '../../domain/permissions';
import { listPage } from '../../database/list';
import { namedDelayMs } from '../../domain/refusal-text';
import { breakerDelayMs, withinPolicy } from '../../domain/retry-policy';
import { storable } from '../../domain/storable';
import { audit } from '../audit/audit';
import { MAIN_ACCOUNT } from './account';
import { DomainRests } from './domain-rests';

export interface AccountState {
  id: number;
  state: 'open' | 'waiting' | 'parked';
  reason: string | null;
  detail: string | null;
  step: number;
  strikes: number;
  retryAt: Date | null;
  since: Date;
  version: number;
  /** The wait is over: one worker may send a probe. */
  probeDue: boolean;
  /** For how long a probe has been due; negative if it is not due yet. */
  overdueMs: number;
  /** The refusal that all recipients got, if the account rests because of it. */
  refusal: string | null;
  /** The database is read-only. */
  readOnly: boolean;
}

/** Why the account has to wait. */
export interface Trouble {
  reason: AccountReason;
  detail: string;
  /** The account is parked after so many strikes. */
  parkAfter: number | null;
  /** By QUOTA_DELAYS_MS instead of BREAKER_DELAYS_MS. */
  long: boolean;
  refusal?: string;
}

/** Reasons to rest for long; a rest after another kind of trouble begins with its first delay. */
const LONG: ReadonlySet<string | null> = new Set<AccountReason>(['quota_exceeded', SAME_REFUSAL]);

export interface AccountLogEntry {
  id: number;
  createdAt: Date;
  event: AccountEvent;
  reason: string | null;
  detail: string | null;
}

const READ = `SELECT id, state, reason, detail, step, strikes, retry_at, since, version, refusal,
  coalesce(extract(epoch FROM clock_timestamp() - retry_at) * 1000, 0)::float8 AS overdue_ms,
  state = 'waiting' AND retry_at <= clock_timestamp() AS probe_due,
    current_setting('transaction_read_only') = 'on' AS read_only FROM accounts WHERE id = $1`;

/** SQL: whether letters of mailings go out now. */
export const MAIN_ACCOUNT_OPEN = `EXISTS (SELECT FROM accounts WHERE id = ${MAIN_ACCOUNT} AND state = 'open')`;

/**
 * The states of the SMTP accounts in Postgres, shared by all workers. Every change is a compare-and-set on the version
 * the caller saw, so that of many workers that meet the same trouble one takes the step.
 */
@Injectable()
export class AccountsService {
  readonly rests: DomainRests;

  constructor(
    readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {
    this.rests = new DomainRests(database, config.domainRestMs, logger);
  }

  async read(id = MAIN_ACCOUNT): Promise<AccountState> {
    const state = await this.database.first<AccountState>(READ, [id]);
    if (!state) throw new Error(`the accounts table has lost its row ${id}`);
    return state;
  }

  /** If the settings (also the password) differ from those that the state belongs to, the account starts anew. */
  async adoptSettings(id: number): Promise<void> {
    const { smtpUrl, mailFrom, secretKey } = this.config;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([smtpUrl, mailFrom, secretKey]))
      .digest('hex');
    await this.change(
      'settings_changed',
      `UPDATE accounts SET fingerprint = $1, state = 'open', reason = NULL, detail = NULL, step = 0, strikes = 0,
              refusal = NULL, retry_at = NULL, since = clock_timestamp(), version = version + 1
        WHERE id = $2 AND fingerprint <> $1`,
      [fingerprint, id],
    );
  }

  /**
   * The account failed: it waits one step, or as long as the server asks, or is parked after `parkAfter` strikes.
   * @returns whether this worker was the first to report it
   */
  async trip(seen: AccountState, trouble: Trouble): Promise<boolean> {
    const { reason, detail, parkAfter, long, refusal = null } = trouble;
    const strikes = seen.strikes + (parkAfter === null ? 0 : 1);
    const park = parkAfter !== null && strikes >= parkAfter;
    const step = seen.reason === null || LONG.has(seen.reason) === long ? seen.step : 0;
    const delaysMs = long ? this.config.quotaDelaysMs : this.config.breakerDelaysMs;
    const namedMs = namedDelayMs(detail);
    const delayMs = namedMs === null ? breakerDelayMs(step, delaysMs) : withinPolicy({ namedMs, delaysMs });
    const state = park ? 'parked' : 'waiting';
    const said = storable(detail).slice(0, 1_000);
    return this.change(
      state,
      `UPDATE accounts SET state = $2, reason = $3, detail = $4, step = $7, strikes = $5, refusal = $8,
              version = version + 1,
              since = CASE WHEN state = 'open' THEN clock_timestamp() ELSE since END,
              retry_at = CASE WHEN $2 = 'waiting' THEN clock_timestamp() + $6 * interval '1 millisecond' END
        WHERE id = $9 AND version = $1 AND state <> 'parked'`,
      [seen.version, state, reason, said, strikes, delayMs, step + 1, refusal, seen.id],
      { reason, detail: said },
    );
  }

  /** Wins the right to send one probe; it must end in `trip` or `reopen` before the lease is over. */
  async takeProbe(seen: AccountState): Promise<boolean> {
    const changed = await this.database.affected(
      `UPDATE accounts SET retry_at = clock_timestamp() + $2 * interval '1 millisecond', version = version + 1
        WHERE id = $3 AND version = $1 AND state = 'waiting' AND retry_at <= clock_timestamp()`,
      [seen.version, this.config.takeoverMs, seen.id],
    );
    return changed > 0;
  }

  /** Opens the account. Step and strikes stay until a letter was accepted. */
  async reopen(id: number): Promise<void> {
    await this.change(
      'resumed',
      `UPDATE accounts SET state = 'open', reason = NULL, detail = NULL, refusal = NULL, retry_at = NULL,
              since = clock_timestamp(), version = version + 1
        WHERE id = $1 AND state = 'waiting'`,
      [id],
    );
  }

  /** A letter was accepted after trouble: the next trouble begins with the shortest wait. */
  async forgive(id: number): Promise<void> {
    await this.database.affected(
      `UPDATE accounts SET step = 0, strikes = 0, version = version + 1
        WHERE id = $1 AND state = 'open' AND (step > 0 OR strikes > 0)`,
      [id],
    );
  }

  /** By hand: lets a parked or waiting account be probed at once, with any letter. */
  async resume(viewer: Viewer, id = MAIN_ACCOUNT): Promise<AccountState> {
    requireMay(viewer, 'account.resume');
    await audit(this.database, viewer, 'account.resume', { type: 'account' });
    await this.change(
      'resumed_by_hand',
      `UPDATE accounts SET state = 'waiting', step = 0, strikes = 0, version = version + 1,
              retry_at = clock_timestamp() - $1 * interval '1 millisecond'
        WHERE id = $2 AND state <> 'open'`,
      [Math.max(...this.config.quotaDelaysMs), id],
    );
    return this.read(id);
  }

  /** Changes an account and writes that down, in one statement. @returns whether it changed */
  private async change(
    event: AccountEvent,
    update: string,
    params: unknown[],
    { reason, detail }: { reason: string | null; detail: string | null } = { reason: null, detail: null },
  ): Promise<boolean> {
    const n = params.length;
    const changed = await this.database.affected(
      `WITH changed AS (${update} RETURNING id)
       INSERT INTO account_log (account_id, event, reason, detail)
       SELECT id, $${n + 1}::text, $${n + 2}::text, $${n + 3}::text FROM changed`,
      [...params, event, reason, detail],
    );
    if (changed > 0)
      this.logger.warn({ event: `account.${event}`, reason, detail }, 'The SMTP account changed its state');
    return changed > 0;
  }

  history(page: PageRequest, id = MAIN_ACCOUNT): Promise<Page<AccountLogEntry>> {
    return listPage(
      this.database,
      {
        select: 'id, created_at, event, reason, detail',
        from: 'account_log',
        where: 'account_id = $1',
        params: [id],
        key: [{ expression: 'id', type: 'bigint' }],
        descending: true,
      },
      page,
    );
  }
}

/** The database's clock was put back by so much: no account and no domain rests longer for it. */
export async function accountsPutBack(tx: Transaction, backMs: number): Promise<void> {
  const back = `- $1 * interval '1 millisecond'`;
  await tx.affected(
    `UPDATE accounts SET retry_at = retry_at ${back}, version = version + 1
      WHERE state = 'waiting' AND retry_at > clock_timestamp()`,
    [backMs],
  );
  await tx.affected(`UPDATE domain_rests SET until_at = until_at ${back} WHERE until_at > clock_timestamp()`, [backMs]);
}

/** Takes what a pattern finds out of what servers said about the account, and of why a domain rests. */
export async function eraseFromAccounts(tx: Transaction, pattern: string): Promise<void> {
  const erased = `detail = regexp_replace(detail, $1, '[erased]', 'gi') WHERE detail ~* $1`;
  await tx.affected(`UPDATE accounts SET ${erased}`, [pattern]);
  await tx.affected(`UPDATE account_log SET ${erased}`, [pattern]);
  await tx.affected(`UPDATE domain_rests SET ${erased}`, [pattern]);
}
