import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Transaction, troubleOf } from '../../database/database';
import { NotFoundError } from '../../domain/errors';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { upcoming } from '../../domain/recurrence';
import { lateJoinUntil, presentCursor } from '../../domain/schedule-decision';
import { formatLocal, isTimeZone } from '../../domain/time-zone';
import { audienceOf } from '../audiences/audiences';
import type { Mailing } from '../mailings/mailing.entity';
import { moveCursors, takeJoined } from '../mailings/mailing-moves';
import { planFrom } from '../runs/run-moves';
import { RunsService } from '../runs/runs.service';
import { decideDue } from './calendar';
import { databaseNow, scheduleOf } from './facts';
import { LifecycleService } from './lifecycle.service';
import { PlanJobs } from './plan-jobs.service';
import { RestoreService } from './restore.service';

/** How many due mailings one query returns; a tick repeats it until none is left. */
const LOOK = 5_000;
/** How many mailings are handled in one transaction. */
const BATCH = 250;

const LIVE = `status IN ('started', 'paused') AND deleted_at IS NULL`;
const DUE = `status = 'started' AND deleted_at IS NULL AND next_run_at <= app_now()`;
const ENDED = `${LIVE} AND end_at <= app_now()`;
const JOINED = `status = 'started' AND deleted_at IS NULL AND joined_from IS NOT NULL`;

/** How many mailings something was done for, and the runs that began or continue. */
export interface Tick {
  mailings: number;
  runs: number[];
}

/**
 * The calendar's tick. Several at once do no harm: each mailing is handled under its lock, where it is decided what to
 * do.
 */
@Injectable()
export class SchedulerService {
  private rulesFollowed = false;

  constructor(
    private readonly database: Database,
    private readonly runs: RunsService,
    private readonly lifecycle: LifecycleService,
    private readonly restore: RestoreService,
    private readonly plans: PlanJobs,
    private readonly logger: PinoLogger,
  ) {}

  /** Starts runs that are due, ends mailings that reached their end, and adds clients who have joined. */
  async tick(): Promise<Tick> {
    await this.restore.check();
    if (!this.rulesFollowed) await this.followRules();
    const tick: Tick = { mailings: 0, runs: [] };
    for (let after = 0; ;) {
      const found = await this.look(after);
      for (const ids of batches(found)) {
        const handled = await this.handleAll(ids);
        await this.plans.add(handled.runs);
        tick.mailings += handled.mailings;
        tick.runs.push(...handled.runs);
      }
      if (found.length < LOOK) break;
      after = found.at(-1)?.id ?? 0;
    }
    if (tick.mailings > 0) {
      this.logger.info(
        { event: 'scheduler.tick', mailings: tick.mailings, runs: tick.runs.length },
        'Due mailings were handled',
      );
    }
    return tick;
  }

  /** The next occurrences after `from` (default: now), in the mailing's own time zone. */
  async schedule(
    viewer: Viewer,
    id: number,
    count: number,
    from?: Date,
  ): Promise<{ occurrenceAt: Date; local: string }[]> {
    const mailing = await this.database.first<Mailing & { now: Date }>(
      `SELECT *, app_now() AS now FROM mailings
        WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) AND deleted_at IS NULL`,
      [id, readableOwner(viewer)],
    );
    if (!mailing) throw new NotFoundError('Mailing', id);
    if (mailing.status === 'done') return [];
    const after = from ?? mailing.now;
    // A started mailing's calendar continues from its cursor, which an edit or a send may have moved.
    const nextRunAt = presentCursor(scheduleOf(mailing), mailing.nextRunAt);
    const began = mailing.status !== 'created';
    if (began && !nextRunAt) return [];
    const start = began && nextRunAt && nextRunAt > after ? new Date(nextRunAt.getTime() - 1) : after;
    return upcoming(scheduleOf(mailing), start, count).map(({ at }) => ({
      occurrenceAt: at,
      local: formatLocal(at, mailing.timeZone),
    }));
  }

  /**
   * Once after the start of a process, corrects next occurrences that have moved because this process has newer time
   * zone rules. An occurrence that moved into the past would otherwise be found late, or never.
   */
  private async followRules(): Promise<void> {
    let moved = 0;
    for (let after = 0, more = true; more;) {
      const page = await this.database.rows<Mailing>(
        `SELECT id, start_at, end_at, period, time_zone, next_run_at FROM mailings
          WHERE ${LIVE} AND next_run_at IS NOT NULL AND period <> 'once' AND id > $1 ORDER BY id LIMIT ${LOOK}`,
        [after],
      );
      const changes = await this.movedByRules(page);
      if (changes.length > 0) moved += await moveCursors(this.database, changes);
      more = page.length === LOOK;
      after = page.at(-1)?.id ?? after;
    }
    this.rulesFollowed = true;
    if (moved > 0)
      this.logger.warn(
        { event: 'scheduler.rules_changed', mailings: moved, rules: process.versions.tz },
        'Time zone rules have changed: next occurrences were corrected',
      );
  }

  /**
   * Gives other work of this process its turn in between. A mailing whose zone is unknown to these rules is skipped.
   */
  private async movedByRules(mailings: Mailing[]): Promise<{ id: number; was: Date | null; at: Date | null }[]> {
    const moved: { id: number; was: Date | null; at: Date | null }[] = [];
    for (const [i, mailing] of mailings.entries()) {
      if (i % BATCH === 0) await setImmediate();
      if (!isTimeZone(mailing.timeZone)) continue;
      const { id, nextRunAt: was } = mailing;
      const at = presentCursor(scheduleOf(mailing), was);
      if (at?.getTime() !== was?.getTime()) moved.push({ id, was, at });
    }
    return moved;
  }

  /** One index for each reason. Mailings for which runs have to be locked are handled alone. */
  private look(after: number): Promise<Found[]> {
    return this.database.rows(
      `SELECT id, bool_or(alone) AS alone FROM (
         SELECT id, false AS alone FROM mailings WHERE ${DUE}
         UNION ALL SELECT id, true FROM mailings WHERE ${ENDED}
         UNION ALL SELECT id, true FROM mailings WHERE ${JOINED}) due
        WHERE id > $1 GROUP BY id ORDER BY id LIMIT ${LOOK}`,
      [after],
    );
  }

  /**
   * One mailing that can't be handled must not stop the others, so a batch that failed, also at a lock or a time limit,
   * is handled one by one. What Postgres refuses for the moment is left to the next tick.
   */
  private async handleAll(ids: number[]): Promise<Tick> {
    try {
      return await this.database.transaction((tx) => this.handle(tx, ids));
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'away' || (trouble && ids.length === 1)) throw error;
      if (ids.length > 1) {
        const alone: Tick[] = [];
        for (const id of ids) alone.push(await this.handleAll([id]));
        return {
          mailings: alone.reduce((sum, { mailings }) => sum + mailings, 0),
          runs: alone.flatMap(({ runs }) => runs),
        };
      }
      this.logger.error({ event: 'scheduler.failed', mailingId: ids[0], err: error }, 'A due mailing was not handled');
      return { mailings: 0, runs: [] };
    }
  }

  /** Skips mailings that another tick has locked or has handled meanwhile. */
  private async handle(tx: Transaction, ids: number[]): Promise<Tick> {
    const mailings = await tx.rows<Mailing>(
      `SELECT * FROM mailings WHERE id = ANY($1::bigint[]) AND ((${DUE}) OR (${ENDED}) OR (${JOINED}))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`,
      [ids],
    );
    const decided = await decideDue(tx, this.runs, mailings);
    const runs = await this.lifecycle.carryOutTick(tx, decided);
    for (const { mailing, decision } of decided) {
      if (decision.done || mailing.joinedFrom === null) continue;
      const joined = await this.letJoin(tx, mailing, mailing.joinedFrom);
      if (joined !== null && !runs.includes(joined)) runs.push(joined);
    }
    return { mailings: decided.length, runs };
  }

  /**
   * Clients who were added to a started mailing get the current occurrence in its run: planning continues from the
   * first of them.
   */
  private async letJoin(tx: Transaction, mailing: Mailing, joinedFrom: number): Promise<number | null> {
    // This tick may have paused the mailing.
    if (!(await takeJoined(tx, mailing.id))) return null;
    const run = await tx.first<{ id: number; occurrenceAt: Date }>(
      `SELECT id, occurrence_at FROM runs
        WHERE mailing_id = $1 AND occurrence_at IS NOT NULL AND status IN ('planning', 'sending', 'done')
        ORDER BY occurrence_at DESC LIMIT 1 FOR NO KEY UPDATE`,
      [mailing.id],
    );
    if (!run) return null;
    const until = lateJoinUntil(scheduleOf(mailing), run.occurrenceAt, audienceOf(mailing));
    if (until !== null && until <= (await databaseNow(tx))) return null;
    await planFrom(tx, run.id, joinedFrom);
    return run.id;
  }
}

interface Found {
  id: number;
  alone: boolean;
}

function batches(found: Found[]): number[][] {
  const together = found.filter(({ alone }) => !alone).map(({ id }) => id);
  const alone = found.filter((mailing) => mailing.alone).map(({ id }) => [id]);
  return [
    ...Array.from({ length: Math.ceil(together.length / BATCH) }, (_, i) => together.slice(i * BATCH, (i + 1) * BATCH)),
    ...alone,
  ];
}
