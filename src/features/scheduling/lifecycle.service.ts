import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database, type Sql, type Transaction } from '../../database/database';
import type { ErrorCode, MailingCode } from '../../domain/codes';
import { ConflictError, ForbiddenError, ValidationError } from '../../domain/errors';
import { stoppableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { type Plan, planDemandSend, planEdit, planFirstStart, planResume } from '../../domain/schedule-decision';
import { type MailingStatus, mailingTransitions } from '../../domain/states';
import { promptly } from '../../queue/promptly';
import { PLAN_QUEUE, type PlanJob } from '../../queue/queues';
import { audit, type AuditAction } from '../audit/audit';
import { settleClients } from '../clients/clients.service';
import { FeederService } from '../deliveries/feeder.service';
import {
  addClients,
  isLive,
  lockMailing,
  type MailingView,
  MailingsService,
  requireMessage,
} from '../mailings/mailings.service';
import { checkMailing, type MailingInput } from '../mailings/mailing-input';
import type { Mailing } from '../mailings/mailing.entity';
import { recipientsOf, refusedAllowances } from '../runs/allowance';
import { RunsService } from '../runs/runs.service';
import { carryOut, type Decided, decideTick, NO_REASON, setStatus, type StatusChange } from './calendar';
import { databaseNow, readRunFacts, scheduleOf } from './facts';

/** `leftOut`: who is in the audience and would get nothing by a send now; `emails` are the first of them. */
export interface SendPreview {
  recipients: number;
  leftOut: { reason: string; count: number; emails: string[] }[];
  refusal: { code: ErrorCode; message: string } | null;
}

/** How many of those who are left out are named. */
const SHOWN = 10;

const MAILING_ENDED = () =>
  new ConflictError('MAILING_ENDED', 'The end of the mailing has passed. Give it a later end before it starts.');

/**
 * What happens to a mailing between its making and its end, whoever asks: REST, a button, the command line, the scheduler.
 * Each is one transaction that holds the mailing's lock; jobs are added after it is committed, and if that fails the
 * sweeper adds them.
 */
@Injectable()
export class LifecycleService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly runs: RunsService,
    private readonly feeder: FeederService,
    @InjectQueue(PLAN_QUEUE) private readonly planQueue: Queue<PlanJob>,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /** The schedule takes over. If `startAt` has passed, one run goes at once. */
  async start(viewer: Viewer, id: number): Promise<MailingView> {
    const started = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, writableOwner(viewer));
      require(mailing, 'started', ['created']);
      await settleAudience(tx, mailing);
      const plan = planFirstStart({ schedule: scheduleOf(mailing), now: await databaseNow(tx) });
      if (plan.done) throw MAILING_ENDED();
      if (plan.run) await requireRecipients(tx, mailing);
      await this.requireAllowance(tx, mailing, plan.run !== null);
      await log(tx, viewer, 'mailing.start', id);
      await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      return carryOut(tx, this.runs, [{ mailing, plan }]);
    });
    await this.enqueuePlans(started);
    return this.mailings.get(viewer, id);
  }

  /**
   * Sends now: the run of the current occurrence if that is due and has none, else an extra run; starts a `created`
   * mailing. The same key gives the same run.
   * @throws ConflictError MAILING_SENDING with the run, while one has deliveries that were never tried
   */
  async send(viewer: Viewer, id: number, idempotencyKey: string | null = null): Promise<{ runId: number }> {
    const { runId, isNew } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, writableOwner(viewer));
      const same = idempotencyKey && (await runOfKey(tx, id, idempotencyKey));
      if (same) return { runId: same, isNew: false };
      const { run, ...plan } = await this.decideSend(tx, mailing);
      if (mailing.status === 'created') {
        await settleAudience(tx, mailing);
        await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      }
      await this.requireAllowance(tx, mailing, true);
      await log(tx, viewer, 'mailing.send', id);
      await carryOut(tx, this.runs, [{ mailing, plan: { ...plan, run: null } }]);
      return this.runs.begin(tx, mailing, 'demand', run.occurrenceAt, idempotencyKey);
    });
    failpoint('run-created');
    if (isNew) await this.enqueuePlans([runId]);
    return { runId };
  }

  /** No new claim after this has returned; only what was claimed already ends. A manager may do this to anybody's. */
  async pause(viewer: Viewer, id: number): Promise<MailingView> {
    await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, stoppableOwner(viewer));
      require(mailing, 'paused', ['started']);
      const code = mailing.ownerId === viewer.userId ? null : 'paused_by_manager';
      await log(tx, viewer, 'mailing.pause', id);
      await this.hold(tx, [{ mailing, reason: { code, text: null, by: viewer.userId } }]);
    });
    return this.mailings.get(viewer, id);
  }

  /** The system stops a mailing whose sender, content or template is refused. Does nothing if it is not started. */
  async park(id: number, code: MailingCode, text: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, null);
      if (mailing.status === 'started') await this.hold(tx, [{ mailing, reason: { code, text, by: null } }]);
    });
    this.logger.warn({ event: 'mailing.parked', mailingId: id, code }, 'Mailing was paused by the system');
  }

  /** Goes on where it was; what was missed while paused is recorded, never made up. */
  async resume(viewer: Viewer, id: number): Promise<MailingView> {
    const { runIds, planned } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, stoppableOwner(viewer));
      require(mailing, 'resumed', ['paused']);
      requireMayResume(viewer, mailing);
      await this.requireAllowance(tx, mailing, false);
      await log(tx, viewer, 'mailing.resume', id);
      const now = await databaseNow(tx);
      const plan = planResume({ schedule: scheduleOf(mailing), nextRunAt: mailing.nextRunAt, now });
      await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      const held = await this.runs.setPaused(tx, [id], false);
      return { runIds: held, planned: await carryOut(tx, this.runs, [{ mailing, plan }]) };
    });
    await this.feeder.refeed(runIds).catch((error: unknown) => this.queueAway(error));
    await this.enqueuePlans([...runIds, ...planned]);
    return this.mailings.get(viewer, id);
  }

  /** For good: what is open is cancelled. */
  async finish(viewer: Viewer, id: number): Promise<MailingView> {
    await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, writableOwner(viewer));
      require(mailing, 'finished', ['created', 'started', 'paused']);
      await log(tx, viewer, 'mailing.finish', id);
      await this.runs.close(tx, id, 'finished');
      await setStatus(tx, 'done', [{ mailing, reason: { ...NO_REASON, by: viewer.userId } }]);
      await tx.affected(
        'UPDATE mailings SET next_run_at = NULL, joined_from = NULL, waited_until = NULL WHERE id = $1',
        [id],
      );
    });
    return this.mailings.get(viewer, id);
  }

  /** Content and audience count from the next run; a changed schedule moves the next occurrence, without a burst. */
  async update(viewer: Viewer, id: number, change: Partial<MailingInput>): Promise<MailingView> {
    const { planned, warnings } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, writableOwner(viewer));
      require(mailing, 'changed', ['created', 'started', 'paused']);
      const clientIds = change.clientIds;
      const checked = checkMailing(
        { ...mailing, messageId: mailing.messageId ?? 0, ...given(change), clientIds: undefined },
        mailing.timeZone,
      );
      if (checked.audience !== mailing.audience && mailing.status !== 'created') {
        throw new ConflictError(
          'MAILING_STARTED',
          'The audience of a started mailing can not be changed from or to all clients.',
        );
      }
      if (clientIds && checked.audience === 'all') {
        throw new ValidationError([{ field: 'clientIds', message: "must be absent for the audience 'all'" }]);
      }
      if (checked.messageId !== mailing.messageId) await requireMessage(tx, mailing.ownerId, checked.messageId);
      if (isLive(mailing) && mailing.endAt && mailing.endAt <= (await databaseNow(tx))) throw MAILING_ENDED();
      const planned =
        mailing.status === 'started' ? await carryOut(tx, this.runs, await decideTick(tx, this.runs, [mailing])) : [];
      const { schedule } = checked;
      await tx.affected(
        `UPDATE mailings SET name = $2, message_id = $3, audience = $4, start_at = $5, end_at = $6, period = $7, time_zone = $8,
                on_unknown = $9, updated_at = app_now() WHERE id = $1`,
        [
          id,
          checked.name,
          checked.messageId,
          checked.audience,
          schedule.startAt,
          schedule.endAt,
          schedule.period,
          schedule.timeZone,
          checked.onUnknown,
        ],
      );
      if (checked.audience === 'all' || clientIds) await this.replaceClients(tx, mailing, clientIds ?? []);
      if (mailing.status === 'created') return { planned, warnings: checked.warnings };
      const before = await lockMailing(tx, id, null);
      const facts = await readRunFacts(tx, { ...before, ...schedule });
      const plan = planEdit({
        ...facts,
        previous: scheduleOf(mailing),
        schedule,
        nextRunAt: before.nextRunAt,
        paused: mailing.status === 'paused',
      });
      await this.runs.setEnd(tx, id, schedule.endAt);
      return {
        planned: [...planned, ...(await carryOut(tx, this.runs, [{ mailing: before, plan }]))],
        warnings: checked.warnings,
      };
    });
    await this.enqueuePlans(planned);
    await this.runs.finishOnceMailings();
    return { ...(await this.mailings.get(viewer, id)), warnings };
  }

  /** Hides the mailing; its ledger stays. @throws ConflictError MAILING_SENDING while a run is live */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { name } = await lockMailing(tx, id, writableOwner(viewer));
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
      await audit(tx, viewer, 'mailing.delete', { type: 'mailing', id }, { name });
      await tx.affected(
        'UPDATE mailings SET deleted_at = app_now(), next_run_at = NULL, joined_from = NULL WHERE id = $1',
        [id],
      );
    });
  }

  /** To whom `send` would send now, who is left out and why, and whether it would be refused; changes nothing. */
  async previewSend(viewer: Viewer, id: number): Promise<SendPreview> {
    const mailing = await this.mailings.get(viewer, id);
    const { recipientCount } = mailing;
    try {
      const plan = await this.decideSend(this.database, mailing);
      const leftOut = await this.leftOut(mailing, plan.run.occurrenceAt);
      const had = leftOut.reduce((sum, { count }) => sum + count, 0);
      return { recipients: Math.max(0, recipientCount - had), leftOut, refusal: null };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return { recipients: recipientCount, leftOut: [], refusal: { code: error.code, message: error.message } };
    }
  }

  /** Carries out what a tick decided; a mailing whose owner may send no more today is paused instead, its cursor stays. */
  async carryOutTick(tx: Transaction, decided: Decided[]): Promise<number[]> {
    if (this.config.lettersPerDay === 0) return carryOut(tx, this.runs, decided);
    const due = decided.filter(({ plan }) => plan.run).map(({ mailing }) => mailing);
    const refused = await this.refused(tx, due, true);
    const held = due.flatMap((mailing, i) => {
      const error = refused[i];
      if (!error) return [];
      const code = error.code === 'OWNER_BLOCKED' ? ('owner_blocked' as const) : ('letters_per_day' as const);
      return [{ mailing, reason: { code, text: error.message, by: null } }];
    });
    await this.hold(tx, held);
    const heldMailings = new Set(held.map(({ mailing }) => mailing));
    return carryOut(
      tx,
      this.runs,
      decided.filter(({ mailing }) => !heldMailings.has(mailing)),
    );
  }

  /**
   * Pauses all that an owner who was blocked has under way; a run of a mailing that is done already is cancelled.
   * @returns how many mailings were paused
   */
  async holdAllOf(tx: Transaction, ownerId: number, by: number): Promise<number> {
    const started = await tx.rows<Mailing>(
      `SELECT * FROM mailings WHERE owner_id = $1 AND status = 'started' AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
      [ownerId],
    );
    const reason = { code: 'owner_blocked' as const, text: null, by: by || null };
    await this.hold(
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

  /**
   * Adds plan jobs. Without Redis the sweeper does it later: the runs are in Postgres. `again` is for what may have a job
   * already: of those a run has one at most, so that sweeps over slow planners don't pile them up.
   */
  async enqueuePlans(runIds: number[], { again = false } = {}): Promise<void> {
    if (runIds.length === 0) return;
    try {
      const opts = (runId: number) =>
        again ? { jobId: `again-${runId}`, removeOnComplete: true, removeOnFail: true } : {};
      await promptly(
        this.planQueue.addBulk(runIds.map((runId) => ({ name: 'plan-run', data: { runId }, opts: opts(runId) }))),
      );
    } catch (error) {
      this.queueAway(error);
    }
  }

  /** What a send on demand would be now. @throws ConflictError if it is refused */
  private async decideSend(sql: Sql, mailing: Mailing): Promise<Plan & { run: { occurrenceAt: Date | null } }> {
    if (mailing.status !== 'created') require(mailing, 'sent', ['started']);
    const [open] = await this.runs.untried(sql, [mailing.id]);
    if (open) {
      throw new ConflictError(
        'MAILING_SENDING',
        `Run ${open.id} of this mailing has letters that were not tried yet.`,
        { runId: open.id },
      );
    }
    await requireRecipients(sql, mailing);
    const plan = planDemandSend({ ...(await readRunFacts(sql, mailing)), firstStart: mailing.status === 'created' });
    const { run } = plan;
    if (!run) throw MAILING_ENDED();
    return { ...plan, run };
  }

  /** Who is in the audience and has a letter of this occurrence's run already. */
  private leftOut(mailing: Mailing, occurrenceAt: Date | null): Promise<SendPreview['leftOut']> {
    return this.database.rows(
      `SELECT CASE d.status WHEN 'sent' THEN 'got it already' WHEN 'deferred' THEN 'waits for another try'
                            WHEN 'failed' THEN 'failed in this run (see --failed-only)' WHEN 'unknown' THEN 'may have got it already'
                            ELSE 'is ' || d.status || ' in this run' END AS reason,
              count(*) AS count, (array_agg(d.email ORDER BY d.id))[1:${SHOWN}] AS emails
         FROM runs r JOIN deliveries d ON d.run_id = r.id JOIN clients c ON c.id = d.client_id
        WHERE r.mailing_id = $1 AND r.occurrence_at = $2
          AND ($3 OR EXISTS (SELECT FROM mailing_clients mc WHERE mc.mailing_id = $1 AND mc.client_id = c.id))
        GROUP BY 1 ORDER BY 2 DESC`,
      [mailing.id, occurrenceAt, mailing.audience === 'all'],
    );
  }

  private async refused(tx: Transaction, mailings: Mailing[], sends: boolean) {
    const letters = sends
      ? await recipientsOf(
          tx,
          mailings.map(({ id }) => id),
        )
      : new Map<number, number>();
    const wanted = mailings.map(({ id, ownerId }) => ({ ownerId, letters: letters.get(id) ?? 0 }));
    return refusedAllowances(tx, wanted, this.config.lettersPerDay);
  }

  /** @throws DomainError LETTERS_PER_DAY, OWNER_BLOCKED */
  private async requireAllowance(tx: Transaction, mailing: Mailing, sends: boolean): Promise<void> {
    const [refused] = await this.refused(tx, [mailing], sends);
    if (refused) throw refused;
  }

  private async hold(tx: Transaction, changes: StatusChange[]): Promise<void> {
    if (changes.length === 0) return;
    const ids = changes.map(({ mailing }) => mailing.id);
    await this.runs.setPaused(tx, ids, true);
    await setStatus(tx, 'paused', changes);
  }

  private async replaceClients(tx: Transaction, mailing: Mailing, clientIds: number[]): Promise<void> {
    await tx.affected('DELETE FROM mailing_clients WHERE mailing_id = $1 AND client_id <> ALL($2::bigint[])', [
      mailing.id,
      clientIds,
    ]);
    if (clientIds.length > 0) {
      await addClients(tx, { id: mailing.id, ownerId: mailing.ownerId, live: isLive(mailing) }, clientIds);
    }
  }

  private queueAway(error: unknown): void {
    this.logger.warn(
      { event: 'queue.unavailable', reason: (error as Error).message },
      'Redis is away; the sweeper will go on with this',
    );
  }
}

const log = (tx: Transaction, viewer: Viewer, action: AuditAction, id: number) =>
  audit(tx, viewer, action, { type: 'mailing', id });

function require(mailing: Mailing, verb: string, allowed: MailingStatus[]): void {
  if (allowed.includes(mailing.status)) return;
  const article = mailingTransitions[mailing.status].length === 0 ? 'is done' : `is ${mailing.status}`;
  throw new ConflictError(
    `MAILING_${mailing.status.toUpperCase() as Uppercase<MailingStatus>}`,
    `Mailing ${mailing.id} ${article} and can not be ${verb}.`,
  );
}

function requireMayResume(viewer: Viewer, mailing: Mailing): void {
  const byManager = ['paused_by_manager', 'owner_blocked'].includes(mailing.statusCode ?? '');
  if (byManager && viewer.role === 'user')
    throw new ForbiddenError('A manager paused this mailing; only a manager or admin may resume it.');
  if (!byManager && viewer.role === 'manager' && mailing.ownerId !== viewer.userId) {
    throw new ForbiddenError('Only its owner or an admin may resume this mailing.');
  }
}

async function requireRecipients(sql: Sql, mailing: Mailing): Promise<void> {
  const any = await sql.first<{ found: boolean }>(
    mailing.audience === 'all'
      ? 'SELECT EXISTS (SELECT FROM clients WHERE owner_id = $1) AS found'
      : 'SELECT EXISTS (SELECT FROM mailing_clients WHERE mailing_id = $1) AS found',
    [mailing.audience === 'all' ? mailing.ownerId : mailing.id],
  );
  if (!any?.found) throw new ConflictError('MAILING_EMPTY', `Mailing ${mailing.id} has no recipients.`);
}

/** Before a mailing to all starts: whoever is being added sees it started or is added when it is planned. */
async function settleAudience(tx: Transaction, mailing: Mailing): Promise<void> {
  if (mailing.audience === 'all') await settleClients(tx);
}

async function runOfKey(tx: Transaction, mailingId: number, key: string): Promise<number | undefined> {
  const run = await tx.first<{ id: number }>('SELECT id FROM runs WHERE mailing_id = $1 AND idempotency_key = $2', [
    mailingId,
    key,
  ]);
  return run?.id;
}

/** The fields that the caller gave. */
function given<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
