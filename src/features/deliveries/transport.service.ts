import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import type { TransportEvent } from '../../domain/codes';
import type { Page, PageRequest } from '../../domain/paging';
import { requireMay, type Viewer } from '../../domain/permissions';
import { listPage } from '../../database/list';
import { breakerDelayMs } from '../../domain/retry-policy';
import { audit } from '../audit/audit';

export interface TransportState {
  state: 'open' | 'waiting' | 'parked';
  reason: string | null;
  detail: string | null;
  step: number;
  strikes: number;
  retryAt: Date | null;
  since: Date;
  version: number;
  /** The wait is over: whoever wins may send one probe. */
  probeDue: boolean;
}

export interface TransportLogEntry {
  id: number;
  createdAt: Date;
  event: TransportEvent;
  reason: string | null;
  detail: string | null;
}

const READ = `SELECT state, reason, detail, step, strikes, retry_at, since, version,
  state = 'waiting' AND retry_at <= clock_timestamp() AS probe_due FROM transports WHERE id = 1`;

/**
 * The state of the SMTP account in Postgres, shared by all workers. Every change is a compare-and-set on the version the
 * caller saw, so that of many workers that meet the same trouble one takes the step.
 */
@Injectable()
export class TransportService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  async read(): Promise<TransportState> {
    const state = await this.database.first<TransportState>(READ);
    if (!state) throw new Error('the transports table has lost its row');
    return state;
  }

  /** Other settings than those the state belongs to (also another password) start anew. */
  async adoptSettings(): Promise<void> {
    const { smtpUrl, mailFrom, secretKey } = this.config;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([smtpUrl, mailFrom, secretKey]))
      .digest('hex');
    const changed = await this.database.affected(
      `UPDATE transports SET fingerprint = $1, state = 'open', reason = NULL, detail = NULL, step = 0, strikes = 0,
              retry_at = NULL, since = clock_timestamp(), version = version + 1 WHERE id = 1 AND fingerprint <> $1`,
      [fingerprint],
    );
    if (changed > 0) await this.log('settings_changed', null, null);
  }

  /** The account failed: it waits one breaker step, or is parked after `parkAfter` strikes. */
  async trip(seen: TransportState, reason: string, detail: string, parkAfter: number | null): Promise<void> {
    const strikes = seen.strikes + (parkAfter === null ? 0 : 1);
    const park = parkAfter !== null && strikes >= parkAfter;
    const changed = await this.database.affected(
      `UPDATE transports SET state = $2, reason = $3, detail = $4, step = step + 1, strikes = $5, version = version + 1,
              since = CASE WHEN state = 'open' THEN clock_timestamp() ELSE since END,
              retry_at = CASE WHEN $2 = 'waiting' THEN clock_timestamp() + $6 * interval '1 millisecond' END
        WHERE id = 1 AND version = $1 AND state <> 'parked'`,
      [
        seen.version,
        park ? 'parked' : 'waiting',
        reason,
        detail.slice(0, 1_000),
        strikes,
        breakerDelayMs(seen.step, this.config.breakerDelaysMs),
      ],
    );
    if (changed > 0) await this.log(park ? 'parked' : 'waiting', reason, detail);
  }

  /** Wins the right to send one probe; it must end in `trip` or `reopen` before the lease is over. */
  async takeProbe(seen: TransportState): Promise<boolean> {
    const changed = await this.database.affected(
      `UPDATE transports SET retry_at = clock_timestamp() + $2 * interval '1 millisecond', version = version + 1
        WHERE id = 1 AND version = $1 AND state = 'waiting' AND retry_at <= clock_timestamp()`,
      [seen.version, this.config.takeoverMs],
    );
    return changed > 0;
  }

  /** Sending goes on. Step and strikes stay until a letter was accepted. */
  async reopen(): Promise<void> {
    const changed = await this.database.affected(
      `UPDATE transports SET state = 'open', reason = NULL, detail = NULL, retry_at = NULL, since = clock_timestamp(),
              version = version + 1 WHERE id = 1 AND state = 'waiting'`,
    );
    if (changed > 0) await this.log('resumed', null, null);
  }

  /** A letter was accepted after trouble: the next trouble begins with the shortest wait. */
  async forgive(): Promise<void> {
    await this.database.affected(
      `UPDATE transports SET step = 0, strikes = 0, version = version + 1 WHERE id = 1 AND state = 'open' AND (step > 0 OR strikes > 0)`,
    );
  }

  /** By hand: a parked or waiting account is tried anew. */
  async resume(viewer: Viewer): Promise<TransportState> {
    requireMay(viewer, 'transport.resume');
    await audit(this.database, viewer, 'transport.resume', { type: 'transport' });
    const changed = await this.database.affected(
      `UPDATE transports SET state = 'waiting', step = 0, strikes = 0, retry_at = clock_timestamp(), version = version + 1
        WHERE id = 1 AND state <> 'open'`,
    );
    if (changed > 0) await this.log('resumed_by_hand', null, null);
    return this.read();
  }

  log(event: TransportEvent, reason: string | null, detail: string | null): Promise<unknown> {
    this.logger.warn({ event: `transport.${event}`, reason, detail }, 'The SMTP account changed its state');
    return this.database.affected(
      'INSERT INTO transport_log (transport_id, event, reason, detail) VALUES (1, $1, $2, $3)',
      [event, reason, detail?.slice(0, 1_000) ?? null],
    );
  }

  history(page: PageRequest): Promise<Page<TransportLogEntry>> {
    return listPage(
      this.database,
      {
        sql: 'SELECT id, created_at, event, reason, detail FROM transport_log WHERE transport_id = 1',
        params: [],
        key: [{ expression: 'id', type: 'bigint' }],
        descending: true,
      },
      page,
    );
  }
}
