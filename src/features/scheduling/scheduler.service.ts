import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Transaction } from '../../database/database';
import { NotFoundError } from '../../domain/errors';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { upcoming } from '../../domain/recurrence';
import { lateJoinUntil } from '../../domain/schedule-decision';
import { formatLocal } from '../../domain/time-zone';
import type { Mailing } from '../mailings/mailing.entity';
import { databaseNow, scheduleOf } from './facts';
import { LifecycleService } from './lifecycle.service';

/** How many due mailings one look takes; a tick looks again until none is left. */
const LOOK = 500;

export interface Tick {
  mailings: number;
  runs: number[];
}

/** The calendar's heartbeat. Any number of ticks at once do no harm: each mailing is handled under its lock. */
@Injectable()
export class SchedulerService {
  constructor(
    private readonly database: Database,
    private readonly lifecycle: LifecycleService,
    private readonly logger: PinoLogger,
  ) {}

  /** Starts what is due, ends what has ended, lets in who has joined. */
  async tick(): Promise<Tick> {
    const runs: number[] = [];
    let mailings = 0;
    for (let after = 0; ;) {
      const due = await this.database.rows<{ id: number }>(
        `SELECT id FROM (
           SELECT id FROM mailings WHERE status = 'started' AND deleted_at IS NULL AND next_run_at <= app_now()
           UNION SELECT id FROM mailings WHERE status IN ('started', 'paused') AND deleted_at IS NULL AND end_at <= app_now()
           UNION SELECT id FROM mailings WHERE status = 'started' AND deleted_at IS NULL AND joined_from IS NOT NULL) due
          WHERE id > $1 ORDER BY id LIMIT ${LOOK}`,
        [after],
      );
      for (const { id } of due) {
        const begun = await this.database.transaction((tx) => this.handle(tx, id));
        if (begun) mailings++;
        runs.push(...(begun ?? []));
      }
      if (due.length < LOOK) break;
      after = due.at(-1)?.id ?? 0;
    }
    await this.lifecycle.enqueuePlans(runs);
    if (mailings > 0)
      this.logger.info({ event: 'scheduler.tick', mailings, runs: runs.length }, 'Due mailings were handled');
    return { mailings, runs };
  }

  /** The next occurrences after `from` (default: now), in the mailing's own time zone. */
  async schedule(
    viewer: Viewer,
    id: number,
    count: number,
    from?: Date,
  ): Promise<{ occurrenceAt: Date; local: string }[]> {
    const mailing = await this.database.first<Mailing & { now: Date }>(
      'SELECT *, app_now() AS now FROM mailings WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) AND deleted_at IS NULL',
      [id, readableOwner(viewer)],
    );
    if (!mailing) throw new NotFoundError('Mailing', id);
    if (mailing.status === 'done') return [];
    const after = from ?? mailing.now;
    // A started mailing's calendar goes on from its own cursor, which an edit or a send may have moved.
    const { nextRunAt } = mailing;
    const began = mailing.status !== 'created';
    if (began && !nextRunAt) return [];
    const start = began && nextRunAt && nextRunAt > after ? new Date(nextRunAt.getTime() - 1) : after;
    return upcoming(scheduleOf(mailing), start, count).map(({ at }) => ({
      occurrenceAt: at,
      local: formatLocal(at, mailing.timeZone),
    }));
  }

  /** Null if another tick has the mailing. */
  private async handle(tx: Transaction, id: number): Promise<number[] | null> {
    const mailing = await tx.first<Mailing>(
      `SELECT * FROM mailings WHERE id = $1 AND deleted_at IS NULL AND status IN ('started', 'paused') FOR NO KEY UPDATE SKIP LOCKED`,
      [id],
    );
    if (!mailing) return null;
    const runs = await this.lifecycle.tickOne(tx, mailing);
    if (mailing.status !== 'started' || mailing.joinedFrom === null) return runs;
    const joined = await this.letJoin(tx, mailing, mailing.joinedFrom);
    return joined === null ? runs : [...runs, joined];
  }

  /**
   * Who was added to a started mailing gets the current occurrence in that occurrence's run: its planning goes on from the
   * first that was added.
   */
  private async letJoin(tx: Transaction, mailing: Mailing, joinedFrom: number): Promise<number | null> {
    await tx.affected('UPDATE mailings SET joined_from = NULL WHERE id = $1', [mailing.id]);
    const run = await tx.first<{ id: number; occurrenceAt: Date }>(
      `SELECT id, occurrence_at FROM runs WHERE mailing_id = $1 AND occurrence_at IS NOT NULL AND status IN ('planning', 'sending', 'done')
        ORDER BY occurrence_at DESC LIMIT 1 FOR UPDATE`,
      [mailing.id],
    );
    if (!run) return null;
    const until = lateJoinUntil(scheduleOf(mailing), run.occurrenceAt, mailing.audience);
    if (until !== null && until <= (await databaseNow(tx))) return null;
    await tx.affected(
      `UPDATE runs SET plan_cursor = least(plan_cursor, $2::bigint - 1), planned_at = NULL, finished_at = NULL,
              status = CASE status WHEN 'done' THEN 'sending' ELSE status END WHERE id = $1`,
      [run.id, joinedFrom],
    );
    return run.id;
  }
}
