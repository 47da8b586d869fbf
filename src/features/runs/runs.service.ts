import { Injectable } from '@nestjs/common';
import { failpoint } from '../../config/failpoint';
import { Database, type Sql, type Transaction } from '../../database/database';
import { listPage, newestFirst, viewWhere } from '../../database/list';
import { NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { Missed } from '../../domain/schedule-decision';
import type { RunReason, RunTrigger } from '../../domain/states';
import { whySuppressed } from '../consent/suppression-sql';
import { SKIP_REASON } from '../audiences/audience';
import { type Closed, closeDeliveries, ofRun } from '../ledger/moves';
import type { Mailing } from '../mailings/mailing.entity';
import { finishOnce } from '../mailings/mailing-moves';
import { RUN_VIEW, type RunView, SKIPPED_BY } from './run-view';
import { hasItElsewhere, resendingRun } from './sending-tree';

/** SQL: a run `r` in which no delivery is open. */
const DRAINED = `r.status = 'sending' AND r.planned_at IS NOT NULL
    AND (SELECT coalesce(sum(pending + sending + deferred), 0) FROM run_counts c WHERE c.run_id = r.id) = 0
    AND NOT has_open_deliveries(r.id, r.floor_id)`;

/** Of more failed deliveries it is not asked one by one whether they would be sent again. */
const ASKED_ONE_BY_ONE = 3_000;

export type { RunView } from './run-view';

@Injectable()
export class RunsService {
  constructor(private readonly database: Database) {}

  listOfMailing(viewer: Viewer, mailingId: number, page: PageRequest): Promise<Page<RunView>> {
    return listPage<RunView>(
      this.database,
      {
        ...RUN_VIEW,
        where: 'r.mailing_id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)',
        params: [mailingId, readableOwner(viewer)],
        ...newestFirst('r.id'),
      },
      page,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<RunView> {
    const run = await this.database.first<RunView>(
      viewWhere(
        { ...RUN_VIEW, select: `${RUN_VIEW.select}, ${SKIPPED_BY}` },
        'r.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)',
      ),
      [id, readableOwner(viewer)],
    );
    if (!run) throw new NotFoundError('Run', id);
    return run;
  }

  /**
   * How many people would get the letter if it were sent again to those who failed: whose address was excluded
   * meanwhile, who were deleted, or who have it by another run of the same sending or still may, don't; nobody does
   * while such a run is under way. Null if there are too many to look at each.
   */
  async resendable({ id, counts }: Pick<RunView, 'id' | 'counts'>): Promise<number | null> {
    const failed = counts.failed + counts.unknown;
    if (failed === 0 || (await resendingRun(this.database, id)) !== null) return 0;
    if (failed > ASKED_ONE_BY_ONE) return null;
    const row = await this.database.first<{ n: number }>(
      // OFFSET: each client is looked up, and not all clients are read to find those of the run.
      `SELECT count(*) AS n FROM deliveries d JOIN runs r ON r.id = d.run_id,
              LATERAL (SELECT ${SKIP_REASON} AS reason FROM clients c WHERE c.id = d.client_id OFFSET 0) skip,
              ${whySuppressed(ofRun('d.email'))}
        WHERE d.run_id = $1 AND d.off_path IN ('failed', 'unknown') AND why.reason IS NULL
          AND skip.reason IS NULL AND NOT ${hasItElsewhere('$1')}`,
      [id],
    );
    return row?.n ?? 0;
  }

  /**
   * Inserts a run for an occurrence, or an extra one (null), with the content as it is now. The unique key on mailing
   * and occurrence makes a second start of the same occurrence return the first run.
   */
  async begin(
    tx: Transaction,
    mailing: Mailing,
    trigger: RunTrigger,
    occurrenceAt: Date | null,
    idempotencyKey: string | null = null,
  ): Promise<{ runId: number; isNew: boolean }> {
    const [inserted] = await insertRuns(tx, trigger, [{ mailingId: mailing.id, occurrenceAt }], idempotencyKey);
    if (inserted !== undefined) return { runId: inserted, isNew: true };
    const first = await tx.first<{ id: number }>('SELECT id FROM runs WHERE mailing_id = $1 AND occurrence_at = $2', [
      mailing.id,
      occurrenceAt,
    ]);
    if (!first) throw new Error(`mailing ${mailing.id} has neither a message nor a run`);
    return { runId: first.id, isNew: false };
  }

  /** The runs of these occurrences, all in one statement; those that have a run already are skipped. */
  beginScheduled(tx: Transaction, due: { mailingId: number; occurrenceAt: Date }[]): Promise<number[]> {
    return insertRuns(tx, 'schedule', due);
  }

  /** Records occurrences that did not run; one that has a run already is skipped. */
  async recordMissed(tx: Transaction, missed: (Missed & { mailingId: number })[]): Promise<void> {
    if (missed.length === 0) return;
    await tx.affected(
      `INSERT INTO runs (mailing_id, owner_id, occurrence_at, trigger, status, reason, on_unknown, finished_at)
       SELECT m.id, m.owner_id, o.at, 'schedule', 'missed', o.reason, m.on_unknown, app_now()
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS o(mailing_id, at, reason)
           JOIN mailings m ON m.id = o.mailing_id
        ORDER BY m.id, o.at
       ON CONFLICT (mailing_id, occurrence_at) DO NOTHING`,
      [missed.map((m) => m.mailingId), missed.map((m) => m.occurrenceAt), missed.map((m) => m.reason)],
    );
  }

  /** Runs of these mailings with deliveries that were never tried. */
  async untried(sql: Sql, mailingIds: number[]): Promise<{ id: number; mailingId: number; trigger: RunTrigger }[]> {
    return sql.rows(
      `SELECT r.id, r.mailing_id, r.trigger FROM runs r
        WHERE r.mailing_id = ANY($1::bigint[]) AND r.status IN ('planning', 'sending')
          AND (r.planned_at IS NULL OR (SELECT coalesce(sum(untried), 0) FROM run_counts WHERE run_id = r.id) > 0)
            ORDER BY r.id`,
      [mailingIds],
    );
  }

  /**
   * Pauses or resumes the live runs of these mailings. A claim that is under way is waited for; none is committed
   * afterwards.
   */
  async setPaused(tx: Transaction, mailingIds: number[], paused: boolean): Promise<number[]> {
    await lockRuns(tx, mailingIds);
    const runs = await tx.rows<{ id: number }>(
      `UPDATE runs SET paused_at = CASE WHEN $2 THEN app_now() END
        WHERE mailing_id = ANY($1::bigint[]) AND status IN ('planning', 'sending') RETURNING id`,
      [mailingIds, paused],
    );
    return runs.map((run) => run.id);
  }

  /** The mailing's new end applies to its live runs, too. */
  async setEnd(tx: Transaction, mailingId: number, endAt: Date | null): Promise<void> {
    await lockRuns(tx, [mailingId]);
    await tx.affected(`UPDATE runs SET end_at = $2 WHERE mailing_id = $1 AND status IN ('planning', 'sending')`, [
      mailingId,
      endAt,
    ]);
  }

  /**
   * Closes the mailing's live runs, except those in which nothing is open any more: claims that exist end, no further
   * ones are made. Open deliveries become cancelled, or, at the mailing's end, skipped or (if they were tried) failed;
   * if there are very many, `closeRest` closes the rest.
   */
  async close(tx: Transaction, mailingId: number, reason: Extract<RunReason, 'ended' | 'finished'>): Promise<void> {
    await lockRuns(tx, [mailingId]);
    await tx.affected(
      `UPDATE runs r SET status = 'done', finished_at = app_now() WHERE r.mailing_id = $1 AND ${DRAINED}`,
      [mailingId],
    );
    const runs = await tx.rows<{ id: number }>(
      `UPDATE runs SET status = 'cancelled', reason = $2, finished_at = app_now(), paused_at = NULL, closing = true
        WHERE mailing_id = $1 AND status IN ('planning', 'sending') RETURNING id`,
      [mailingId, reason],
    );
    for (const run of runs) await closeSome(tx, run.id);
  }

  /** Continues closing the deliveries of closed runs until only claimed ones are left. */
  async closeRest(): Promise<void> {
    const closing = await this.database.rows<{ id: number }>('SELECT id FROM runs WHERE closing ORDER BY id');
    for (const { id } of closing) {
      for (let closed: Closed = { more: true, last: 0 }; closed.more;) {
        const { last } = closed;
        closed = await this.database.transaction(async (tx) => {
          const run = await tx.first('SELECT id FROM runs WHERE id = $1 AND closing FOR UPDATE SKIP LOCKED', [id]);
          return run ? closeSome(tx, id, last) : { more: false, last };
        });
      }
    }
  }

  /**
   * Finishes those of the given runs (or all) in which no delivery is open, and with them `once` mailings that have no
   * other live run. One conditional UPDATE: a run is done only when no delivery is left that is not final.
   * @returns the runs that are done now
   */
  async finishIfDrained(runIds: number[] | null): Promise<number[]> {
    const done = await this.database.transaction(async (tx) => {
      // First the lock, then the check, in two statements: whoever adds or reopens a delivery has locked the run, so
      // the check sees it.
      const drained = await tx.rows<{ id: number }>(
        `SELECT id FROM runs r WHERE status = 'sending' AND planned_at IS NOT NULL
          AND ($1::bigint[] IS NULL OR id = ANY($1))
            AND (SELECT coalesce(sum(pending + sending + deferred), 0) FROM run_counts c WHERE c.run_id = r.id) = 0
          ORDER BY id FOR NO KEY UPDATE`,
        [runIds],
      );
      if (drained.length === 0) return [];
      failpoint('run-drained');
      return tx.rows<{ id: number }>(
        `UPDATE runs r SET status = 'done', finished_at = app_now()
          WHERE r.id = ANY($1) AND r.status = 'sending' AND r.planned_at IS NOT NULL
            AND NOT has_open_deliveries(r.id, r.floor_id)
         RETURNING id`,
        [drained.map((run) => run.id)],
      );
    });
    if (done.length > 0 || runIds === null) await this.finishOnceMailings();
    return done.map((run) => run.id);
  }

  /** A `once` mailing is done when its run is. */
  async finishOnceMailings(): Promise<void> {
    await this.database.transaction(finishOnce);
  }

  /** Runs that are not fully planned and not paused: their plan job may have been lost. */
  async unplanned(): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT id FROM runs WHERE status IN ('planning', 'sending') AND planned_at IS NULL AND paused_at IS NULL
        ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  /** Live runs whose counters differ from the ledger, which happens only if there is a bug. */
  async miscounted(): Promise<{ runId: number; counted: number; found: number }[]> {
    return this.database.rows(
      `SELECT r.id AS run_id, c.n AS counted, f.n AS found FROM runs r,
         LATERAL (SELECT coalesce(sum(pending + sending + deferred), 0) AS n FROM run_counts WHERE run_id = r.id) c,
         LATERAL (SELECT count(*) AS n FROM (
           (SELECT FROM deliveries d WHERE d.run_id = r.id
             AND d.off_path IN ('pending', 'sending', 'deferred') LIMIT 10000)
           UNION ALL
           (SELECT FROM deliveries d WHERE d.run_id = r.id AND d.off_path IS NULL AND d.status IN ('pending', 'sending')
               AND d.id > r.floor_id LIMIT 10000)) x) f
        WHERE r.status = 'sending' AND (c.n < 0 OR (c.n < 10000 AND c.n <> f.n))`,
    );
  }
}

/**
 * Inserts runs with the present content; occurrences that have a run already are skipped. One that was only noted as missed
 * is none: an edit of the schedule has made it the next one again.
 */
async function insertRuns(
  tx: Transaction,
  trigger: RunTrigger,
  due: { mailingId: number; occurrenceAt: Date | null }[],
  idempotencyKey: string | null = null,
): Promise<number[]> {
  if (due.length === 0) return [];
  const occurrences = [due.map((d) => d.mailingId), due.map((d) => d.occurrenceAt)];
  await tx.affected(
    `DELETE FROM runs r USING unnest($1::bigint[], $2::timestamptz[]) AS due(mailing_id, at)
      WHERE r.mailing_id = due.mailing_id AND r.occurrence_at = due.at AND r.status = 'missed'`,
    occurrences,
  );
  const inserted = await tx.rows<{ id: number }>(
    `INSERT INTO runs (mailing_id, owner_id, occurrence_at, trigger, idempotency_key, status, on_unknown, subject, body,
                       body_text, mailing_name, time_zone, transactional, language, reply_to, postal_address,
                       unsubscribe_text, letter_key, end_at, segment_name, segment_filter, exclude_name,
                       exclude_filter)
     SELECT m.id, m.owner_id, due.at, $1, $2, 'planning', m.on_unknown, s.subject, s.body, s.body_text,
            m.name, m.time_zone, m.kind = 'transactional', m.language,
       nullif(u.reply_to, ''), nullif(u.postal_address, ''),
            nullif(u.unsubscribe_text, ''), gen_random_uuid(), m.end_at, g.name, g.filter, x.name, x.filter
       FROM unnest($3::bigint[], $4::timestamptz[]) AS due(mailing_id, at)
       JOIN mailings m ON m.id = due.mailing_id JOIN messages s ON s.id = m.message_id
       LEFT JOIN senders u ON u.owner_id = m.owner_id
       LEFT JOIN segments g ON g.id = m.segment_id LEFT JOIN segments x ON x.id = m.exclude_segment_id ORDER BY m.id
     ON CONFLICT (mailing_id, occurrence_at) DO NOTHING RETURNING id`,
    [trigger, idempotencyKey, ...occurrences],
  );
  return inserted.map((run) => run.id);
}

async function lockRuns(tx: Transaction, mailingIds: number[]): Promise<void> {
  await tx.rows(
    `SELECT id FROM runs WHERE mailing_id = ANY($1::bigint[]) AND status IN ('planning', 'sending')
      ORDER BY id FOR UPDATE`,
    [mailingIds],
  );
}

/** Closes some deliveries of a run that the caller has locked; without open ones it is closed itself. */
export async function closeSome(tx: Transaction, runId: number, after = 0): Promise<Closed> {
  const closed = await closeDeliveries(tx, runId, after);
  await tx.affected(
    `UPDATE runs r SET closing = false WHERE r.id = $1 AND closing
        AND (SELECT coalesce(sum(pending + sending + deferred), 0) FROM run_counts WHERE run_id = r.id) = 0`,
    [runId],
  );
  return closed;
}
