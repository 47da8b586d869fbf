import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import type { MailingCode } from '../../domain/codes';
import { ConflictError, ForbiddenError } from '../../domain/errors';
import { stoppableOwner, type Viewer } from '../../domain/permissions';
import { decideFirstStart, decideResume } from '../../domain/schedule-decision';
import type { Mailing } from '../mailings/mailing.entity';
import {
  clearCalendar,
  type Decided,
  hide,
  NO_REASON,
  setStatus,
  type StatusChange,
  waiveAddress,
} from '../mailings/mailing-moves';
import { pausedWhenDone } from '../mailings/restored';
import { lockAnyMailing, lockMailing, type MailingView, MailingsService } from '../mailings/mailings.service';
import { RunsService } from '../runs/runs.service';
import { carryOut } from './calendar';
import { databaseNow, scheduleOf } from './facts';
import { PlanJobs } from './plan-jobs.service';
import { PreflightService } from './preflight.service';
import {
  auditMailing,
  fillsLater,
  MAILING_DUE,
  MAILING_ENDED,
  refusedMailings,
  requireAllowance,
  requireRecipients,
  requireStatus,
  settleAudience,
} from './preconditions';

/**
 * The actions on a mailing, for REST, pages, command line and scheduler. Each is one transaction that locks the
 * mailing; jobs are added after it is committed, and if that fails the sweeper adds them.
 */
@Injectable()
export class LifecycleService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly runs: RunsService,
    private readonly plans: PlanJobs,
    private readonly preflight: PreflightService,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /**
   * From now on the schedule is followed. If `startAt` has passed, one run starts at once.
   * @param onlySchedules refuse that: whoever asked was told that nothing goes out yet
   * @throws ConflictError MAILING_DUE if a run would start at once and may not
   */
  async start(
    viewer: Viewer,
    id: number,
    override?: string,
    { onlySchedules = false }: { onlySchedules?: boolean } = {},
  ): Promise<MailingView> {
    const sender = await this.preflight.sender();
    const started = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      requireStatus(mailing, 'started');
      await settleAudience(tx, mailing);
      const decision = decideFirstStart({ schedule: scheduleOf(mailing), now: await databaseNow(tx) });
      if (decision.done) throw MAILING_ENDED();
      if (decision.run && onlySchedules) throw MAILING_DUE();
      if (decision.run && !fillsLater(mailing)) await requireRecipients(tx, mailing);
      if (await this.preflight.require(tx, viewer, mailing, { sender, override })) await waiveAddress(tx, id);
      await requireAllowance(tx, mailing, this.config.lettersPerDay, { sends: decision.run !== null });
      await auditMailing(tx, viewer, 'mailing.start', id);
      await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      return carryOut(tx, this.runs, [{ mailing, decision }]);
    });
    await this.plans.add(started);
    return this.mailings.get(viewer, id);
  }

  /**
   * After this has returned there is no new claim; letters that are claimed already are still sent. A manager may pause
   * anybody's mailing.
   */
  async pause(viewer: Viewer, id: number): Promise<MailingView> {
    await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer, stoppableOwner);
      requireStatus(mailing, 'paused');
      const code = mailing.ownerId === viewer.userId ? null : 'paused_by_manager';
      await auditMailing(tx, viewer, 'mailing.pause', id);
      await this.pauseWithRuns(tx, [{ mailing, reason: { code, text: null, by: viewer.userId } }]);
    });
    return this.mailings.get(viewer, id);
  }

  /**
   * The system stops a mailing whose sender, content or template is refused. Of one that is done, the runs that are under
   * way are paused, and it stays done. Does nothing if nothing of it is under way.
   * @param since when the mailing got its present status, as it was seen: nothing is done if that has changed meanwhile
   */
  async park(id: number, code: MailingCode, text: string, since?: Date): Promise<void> {
    const isPaused = await this.database.transaction(async (tx) => {
      const mailing = await lockAnyMailing(tx, id);
      if (since && mailing.statusSince.getTime() !== since.getTime()) return false;
      if (mailing.status === 'done') return this.parkDone(tx, mailing, code, text);
      if (mailing.status !== 'started') return false;
      await this.pauseWithRuns(tx, [{ mailing, reason: { code, text, by: null } }]);
      return true;
    });
    if (!isPaused) return;
    this.logger.warn({ event: 'mailing.parked', mailingId: id, code }, 'Mailing was paused by the system');
  }

  /**
   * Continues where it was; occurrences missed while paused are recorded, and not made up for. A mailing that is done,
   * of which a run is paused, stays done.
   * @param override as of `start`
   */
  async resume(viewer: Viewer, id: number, override?: string): Promise<MailingView> {
    const { runIds, planned } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer, stoppableOwner);
      if (!pausedWhenDone(mailing)) requireStatus(mailing, 'resumed');
      requireMayResume(viewer, mailing);
      const letters = { ...mailing, object: { type: 'mailing', id } } as const;
      if (await this.preflight.requireOfLetters(tx, viewer, letters, override)) await waiveAddress(tx, id);
      await requireAllowance(tx, mailing, this.config.lettersPerDay, { sends: false });
      await auditMailing(tx, viewer, 'mailing.resume', id);
      if (mailing.status === 'done') {
        await setStatus(tx, 'done', [{ mailing, reason: NO_REASON }]);
        return { runIds: await this.runs.setPaused(tx, [id], false), planned: [] };
      }
      const now = await databaseNow(tx);
      const decision = decideResume({ schedule: scheduleOf(mailing), nextRunAt: mailing.nextRunAt, now });
      await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      const resumed = await this.runs.setPaused(tx, [id], false);
      return { runIds: resumed, planned: await carryOut(tx, this.runs, [{ mailing, decision }]) };
    });
    await this.plans.refeed(runIds);
    await this.plans.add([...runIds, ...planned]);
    return this.mailings.get(viewer, id);
  }

  /** Ends the mailing for good: open deliveries are cancelled. */
  async finish(viewer: Viewer, id: number): Promise<MailingView> {
    await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      if (!pausedWhenDone(mailing)) requireStatus(mailing, 'finished');
      await auditMailing(tx, viewer, 'mailing.finish', id);
      await this.runs.close(tx, id, 'finished');
      await setStatus(tx, 'done', [{ mailing, reason: { ...NO_REASON, by: viewer.userId } }]);
      await clearCalendar(tx, id);
    });
    return this.mailings.get(viewer, id);
  }

  /** Hides the mailing; its ledger stays. @throws ConflictError MAILING_SENDING while a run is live */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { name } = await lockMailing(tx, id, viewer);
      const live = await tx.first<{ id: number }>(
        `SELECT id FROM runs WHERE mailing_id = $1 AND status IN ('planning', 'sending') LIMIT 1`,
        [id],
      );
      if (live) {
        throw new ConflictError(
          'MAILING_SENDING',
          `Run ${live.id} of this mailing is not done. Finish the mailing first.`,
          { runId: live.id },
        );
      }
      await auditMailing(tx, viewer, 'mailing.delete', id, { name });
      await hide(tx, id);
    });
  }

  /**
   * Carries out the decisions of a tick. A mailing whose letters would have no postal address, or whose owner may send
   * no more today, is paused instead; its cursor stays.
   */
  async carryOutTick(tx: Transaction, decided: Decided[]): Promise<number[]> {
    const due = decided.filter(({ decision }) => decision.run).map(({ mailing }) => mailing);
    const unaddressed = (await this.preflight.withoutAddress(tx, due)).map((mailing) => {
      const reason = { code: 'POSTAL_ADDRESS_MISSING' as const, text: null, by: null };
      return { mailing, reason };
    });
    const isUnaddressed = new Set(unaddressed.map(({ mailing }) => mailing));
    const asking = this.config.lettersPerDay === 0 ? [] : due.filter((mailing) => !isUnaddressed.has(mailing));
    const refused =
      asking.length === 0 ? [] : await refusedMailings(tx, asking, this.config.lettersPerDay, { sends: true });
    const overAllowance = asking.flatMap((mailing, i) => {
      const error = refused[i];
      if (!error) return [];
      const code = error.code === 'OWNER_BLOCKED' ? ('owner_blocked' as const) : ('letters_per_day' as const);
      return [{ mailing, reason: { code, text: error.message, by: null } }];
    });
    const paused = [...unaddressed, ...overAllowance];
    await this.pauseWithRuns(tx, paused);
    const pausedMailings = new Set(paused.map(({ mailing }) => mailing));
    return carryOut(
      tx,
      this.runs,
      decided.filter(({ mailing }) => !pausedMailings.has(mailing)),
    );
  }

  /**
   * Pauses all started mailings of a blocked owner; live runs of mailings that are done are cancelled.
   * @returns how many mailings were paused
   */
  async pauseAllOf(tx: Transaction, ownerId: number, by: number): Promise<number> {
    const started = await tx.rows<Mailing>(
      `SELECT * FROM mailings WHERE owner_id = $1 AND status = 'started' AND deleted_at IS NULL
        ORDER BY id FOR NO KEY UPDATE`,
      [ownerId],
    );
    const reason = { code: 'owner_blocked' as const, text: null, by: by || null };
    await this.pauseWithRuns(
      tx,
      started.map((mailing) => ({ mailing, reason })),
    );
    const over = await tx.rows<{ id: number }>(
      `SELECT DISTINCT m.id FROM mailings m JOIN runs r ON r.mailing_id = m.id
        WHERE m.owner_id = $1 AND m.status = 'done' AND r.status IN ('planning', 'sending')`,
      [ownerId],
    );
    for (const mailing of over) await this.runs.close(tx, mailing.id, 'finished');
    return started.length;
  }

  /** Who finished it stays known, because that decides whether its other runs may send again. */
  private async parkDone(tx: Transaction, mailing: Mailing, code: MailingCode, text: string): Promise<boolean> {
    const sends = await tx.first(
      `SELECT id FROM runs WHERE mailing_id = $1 AND status IN ('planning', 'sending') AND paused_at IS NULL LIMIT 1`,
      [mailing.id],
    );
    if (!sends) return false;
    await this.runs.setPaused(tx, [mailing.id], true);
    await setStatus(tx, 'done', [{ mailing, reason: { code, text, by: mailing.statusBy } }]);
    return true;
  }

  private async pauseWithRuns(tx: Transaction, changes: StatusChange[]): Promise<void> {
    if (changes.length === 0) return;
    const ids = changes.map(({ mailing }) => mailing.id);
    await this.runs.setPaused(tx, ids, true);
    await setStatus(tx, 'paused', changes);
  }
}

function requireMayResume(viewer: Viewer, mailing: Mailing): void {
  if (mailing.statusCode === 'restored') return;
  const byManager = ['paused_by_manager', 'owner_blocked'].includes(mailing.statusCode ?? '');
  if (byManager && viewer.role === 'user')
    throw new ForbiddenError('A manager paused this mailing; only a manager or admin may resume it.');
  if (!byManager && viewer.role === 'manager' && mailing.ownerId !== viewer.userId) {
    throw new ForbiddenError('Only its owner or an admin may resume this mailing.');
  }
}
