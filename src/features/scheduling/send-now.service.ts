import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import type { ErrorCode } from '../../domain/codes';
import { ConflictError, NotFoundError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { isBlocking } from '../../domain/preflight';
import { type Decision, decideDemandSend, decideFirstStart } from '../../domain/schedule-decision';
import type { DeliveryStatus } from '../../domain/states';
import { within } from '../../database/bounded';
import { chosenBy, containsSql } from '../audiences/members';
import { audit } from '../audit/audit';
import type { Mailing } from '../mailings/mailing.entity';
import { NO_REASON, setStatus, waiveAddress } from '../mailings/mailing-moves';
import { pausedWhenDone } from '../mailings/restored';
import { lockMailing, MailingsService } from '../mailings/mailings.service';
import { refusedAllowances } from '../runs/allowance';
import type { Run } from '../runs/run.entity';
import { beginResend } from '../runs/run-moves';
import { RunsService } from '../runs/runs.service';
import { hasItElsewhere, lockSending, RUN_RESENDING, resendingRun } from '../runs/sending-tree';
import { carryOut } from './calendar';
import { databaseNow, readRunFacts, scheduleOf } from './facts';
import { PlanJobs } from './plan-jobs.service';
import { type Preflight, PreflightService } from './preflight.service';
import {
  auditMailing,
  MAILING_ENDED,
  refusedMailings,
  requireAllowance,
  requireRecipients,
  requireStatus,
  settleAudience,
} from './preconditions';

/**
 * `leftOut`: clients of the audience who would get nothing by a send now, by the state of their delivery; `emails` are
 * the first of them.
 */
export interface SendPreview {
  /** Null if it takes too long to count them. */
  recipients: number | null;
  leftOut: { status: DeliveryStatus; count: number; emails: string[] }[];
  refusal: Refusal | null;
  /** By the database's clock. */
  now: Date;
  /** Why a mailing that was never started could not be started by its schedule now. */
  start: Refusal | null;
  /** The check before the start, and how many of the audience get nothing because they are suppressed. */
  check: Preflight;
}

interface Refusal {
  code: ErrorCode;
  message: string;
}

/** Nothing is counted of what is over. */
const OVER: Preflight = { findings: [], chosen: null, eligible: null, excluded: {} };

/** How many of the clients who are left out are named. */
const SHOWN = 10;
/** How long the search for them may take. */
const PREVIEW_MS = 3_000;

/** Runs on request: sending a mailing now, and sending again to those who failed. */
@Injectable()
export class SendNowService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly runs: RunsService,
    private readonly plans: PlanJobs,
    private readonly preflight: PreflightService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Sends now: the run of the current occurrence if that is due and has none, else an extra run; starts a `created`
   * mailing. The same key gives the same run.
   * @throws ConflictError MAILING_SENDING with the run, while one has deliveries that were never tried
   */
  async send(
    viewer: Viewer,
    id: number,
    idempotencyKey: string | null = null,
    override?: string,
  ): Promise<{ runId: number }> {
    const sender = await this.preflight.sender();
    const { runId, isNew } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      const same = idempotencyKey && (await runOfKey(tx, id, idempotencyKey));
      if (same) return { runId: same, isNew: false };
      const { run, ...decision } = await this.decideSend(tx, mailing);
      const unaddressed = await this.preflight.require(tx, viewer, mailing, { sender, override });
      if (mailing.status === 'created') {
        if (unaddressed) await waiveAddress(tx, id);
        await settleAudience(tx, mailing);
        await setStatus(tx, 'started', [{ mailing, reason: NO_REASON }]);
      }
      await requireAllowance(tx, mailing, this.config.lettersPerDay, { sends: true });
      await auditMailing(tx, viewer, 'mailing.send', id);
      await carryOut(tx, this.runs, [{ mailing, decision: { ...decision, run: null } }]);
      return this.runs.begin(tx, mailing, 'demand', run.occurrenceAt, idempotencyKey);
    });
    failpoint('run-created');
    if (isNew) await this.plans.add([runId]);
    return { runId };
  }

  /** To how many `send` would send now, who is left out and why, and whether it would be refused. Changes nothing. */
  async preview(viewer: Viewer, id: number): Promise<SendPreview> {
    const mailing = await this.mailings.get(viewer, id);
    const isOver = mailing.status === 'done' && !pausedWhenDone(mailing);
    const check = isOver ? OVER : await this.preflight.of(viewer, id);
    const blocked = check.findings.filter(isBlocking);
    const message = blocked.map((finding) => finding.message).join(' ');
    const byCheck = blocked.length > 0 ? { code: 'PREFLIGHT_BLOCKED' as const, message } : null;
    const now = await databaseNow(this.database);
    const start = mailing.status === 'created' ? await this.startRefusal(mailing, byCheck, now) : null;
    try {
      const decision = await this.decideSend(this.database, mailing);
      const leftOut = await this.leftOut(mailing, decision.run.occurrenceAt);
      // Who is skipped as suppressed is not among the eligible.
      const had = leftOut.reduce((sum, { status, count }) => (status === 'skipped' ? sum : sum + count), 0);
      const refusal = byCheck ?? (await this.allowanceRefusal(mailing, true));
      const recipients = check.eligible === null ? null : Math.max(0, check.eligible - had);
      return { recipients, leftOut, refusal, start, check, now };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const { code, message } = error;
      return { recipients: check.eligible, leftOut: [], refusal: { code, message }, start, check, now };
    }
  }

  /**
   * Starts a run for those whose delivery ended `failed` or `unknown`; also of a mailing that is done, which stays
   * done. Their letters have the content of this run, and its postal address or, if it has none, the present one.
   * Who has the letter by another run of the same sending, or may still get it by one, is left out.
   * @throws ConflictError RUN_RESENDING while such a run to those who failed is under way; PREFLIGHT_BLOCKED if they
   * would have no address, which a manager or admin may override
   */
  async resendFailed(viewer: Viewer, runId: number, override?: string): Promise<{ runId: number }> {
    const { runId: resent } = await this.database.transaction(async (tx) => {
      const isTheirs = await lockSending(tx, runId, writableOwner(viewer));
      const source = isTheirs && (await tx.first<Run>('SELECT * FROM runs WHERE id = $1', [runId]));
      if (!source) throw await notWritable(tx, viewer, 'Run', runId);
      const again = await resendingRun(tx, runId);
      if (again !== null) throw RUN_RESENDING(again);
      const mailing = await tx.first<{ status: string }>(
        'SELECT status FROM mailings WHERE id = $1 AND deleted_at IS NULL',
        [source.mailingId],
      );
      if (!mailing) throw new NotFoundError('Mailing', source.mailingId);
      if (mailing.status === 'paused')
        throw new ConflictError('MAILING_PAUSED', 'The mailing is paused. Resume it first.');
      const failed = await tx.first<{ n: number }>(
        `SELECT count(*) AS n FROM deliveries d
          WHERE d.run_id = $1 AND d.off_path IN ('failed', 'unknown') AND NOT ${hasItElsewhere('$1')}`,
        [runId],
      );
      if (!failed?.n) throw new ConflictError('RUN_NOTHING_FAILED', 'Nobody failed in this run.');
      const { ownerId, postalAddress } = source;
      const kind = source.transactional ? 'transactional' : 'marketing';
      const letters = { ownerId, kind, postalAddress, object: { type: 'run', id: runId } } as const;
      await this.preflight.requireOfLetters(tx, viewer, letters, override);
      const wanted = { ownerId, letters: failed.n };
      const [refused] = await refusedAllowances(tx, [wanted], this.config.lettersPerDay);
      if (refused) throw refused;
      await audit(tx, viewer, 'run.resend_failed', { type: 'run', id: runId });
      return { runId: await beginResend(tx, runId) };
    });
    await this.plans.add([resent]);
    return { runId: resent };
  }

  /** What a send on demand would do now. @throws ConflictError if it is refused */
  private async decideSend(
    sql: Database | Transaction,
    mailing: Mailing,
  ): Promise<Decision & { run: { occurrenceAt: Date | null } }> {
    requireStatus(mailing, 'sent');
    const [open] = await this.runs.untried(sql, [mailing.id]);
    if (open) {
      throw new ConflictError(
        'MAILING_SENDING',
        `Run ${open.id} of this mailing has letters that were not tried yet.`,
        { runId: open.id },
      );
    }
    await requireRecipients(sql, mailing);
    const decision = decideDemandSend({
      ...(await readRunFacts(sql, mailing)),
      firstStart: mailing.status === 'created',
    });
    const { run } = decision;
    if (!run) throw MAILING_ENDED();
    return { ...decision, run };
  }

  private async startRefusal(mailing: Mailing, byCheck: Refusal | null, now: Date): Promise<Refusal | null> {
    const { done, run } = decideFirstStart({ schedule: scheduleOf(mailing), now });
    if (!done) return byCheck ?? this.allowanceRefusal(mailing, run !== null);
    const { code, message } = MAILING_ENDED();
    return { code, message };
  }

  private async allowanceRefusal(mailing: Mailing, sends: boolean): Promise<Refusal | null> {
    const asked = { sends, locks: false };
    const [refused] = await refusedMailings(this.database, [mailing], this.config.lettersPerDay, asked);
    return refused ? { code: refused.code, message: refused.message } : null;
  }

  /** Clients of the audience who have a delivery in this occurrence's run already; none, if that takes too long. */
  private async leftOut(mailing: Mailing, occurrenceAt: Date | null): Promise<SendPreview['leftOut']> {
    const params: unknown[] = [mailing.id, occurrenceAt];
    const isMember = containsSql(await chosenBy(this.database, mailing), params);
    const found = await within(this.database, PREVIEW_MS, (sql) =>
      sql.rows<SendPreview['leftOut'][number]>(
        `SELECT d.status, count(*) AS count, (array_agg(d.email ORDER BY d.id))[1:${SHOWN}] AS emails
           FROM runs r JOIN deliveries d ON d.run_id = r.id JOIN clients c ON c.id = d.client_id
          WHERE r.mailing_id = $1 AND r.occurrence_at = $2 AND ${isMember}
          GROUP BY 1 ORDER BY 2 DESC`,
        params,
      ),
    );
    return found?.value ?? [];
  }
}

async function runOfKey(tx: Transaction, mailingId: number, key: string): Promise<number | undefined> {
  const run = await tx.first<{ id: number }>('SELECT id FROM runs WHERE mailing_id = $1 AND idempotency_key = $2', [
    mailingId,
    key,
  ]);
  return run?.id;
}
