import type { Transaction } from '../../database/database';
import type { MailingCode } from '../../domain/codes';
import { type Plan, planResume, planTick } from '../../domain/schedule-decision';
import type { MailingStatus } from '../../domain/states';
import type { Mailing } from '../mailings/mailing.entity';
import type { RunsService } from '../runs/runs.service';
import { databaseNow, scheduleOf } from './facts';

/** A locked mailing and what its calendar asks for. */
export interface Decided {
  mailing: Mailing;
  plan: Plan;
}

/** Why a mailing is in its status, where its owner did not bring it there. */
export interface StatusReason {
  code: MailingCode | null;
  text: string | null;
  by: number | null;
}

export const NO_REASON: StatusReason = { code: null, text: null, by: null };
const ENDED: StatusReason = { ...NO_REASON, code: 'ended' };

/** A locked mailing whose status changes, and why. */
export interface StatusChange {
  mailing: Mailing;
  reason: StatusReason;
}

/**
 * What a tick has to do for these mailings, which are locked and started or paused. A paused one is only looked at for
 * its end: what falls due meanwhile is decided when it is resumed.
 */
export async function decideTick(tx: Transaction, runs: RunsService, mailings: Mailing[]): Promise<Decided[]> {
  const now = await databaseNow(tx);
  const open = await runs.untried(
    tx,
    mailings.map((mailing) => mailing.id),
  );
  return mailings.flatMap((mailing) => {
    const facts = { schedule: scheduleOf(mailing), nextRunAt: mailing.nextRunAt, now };
    if (mailing.status === 'paused') {
      const plan = planResume(facts);
      return plan.done ? [{ mailing, plan }] : [];
    }
    const runsOpen = open.filter((run) => run.mailingId === mailing.id);
    const plan = planTick({
      ...facts,
      scheduledRunOpen: runsOpen.some((run) => run.trigger === 'schedule'),
      demandRunOpen: runsOpen.some((run) => run.trigger !== 'schedule'),
      waitedUntil: mailing.waitedUntil,
    });
    return [{ mailing, plan }];
  });
}

/**
 * Writes what was decided, the next occurrences in the same transaction as the runs; a few statements however many
 * mailings there are, but for those that end.
 * @returns the runs that began and are to be planned
 */
export async function carryOut(tx: Transaction, runs: RunsService, decided: Decided[]): Promise<number[]> {
  if (decided.length === 0) return [];
  await runs.recordMissed(
    tx,
    decided.flatMap(({ mailing, plan }) => plan.missed.map((missed) => ({ mailingId: mailing.id, ...missed }))),
  );
  await setCalendar(tx, decided);
  const ended = decided.filter(({ plan }) => plan.done).map(({ mailing }) => ({ mailing, reason: ENDED }));
  for (const { mailing } of ended) await runs.close(tx, mailing.id, 'ended');
  await setStatus(tx, 'done', ended);
  return runs.beginScheduled(
    tx,
    decided.flatMap(({ mailing, plan }) =>
      plan.run?.occurrenceAt && !plan.done ? [{ mailingId: mailing.id, occurrenceAt: plan.run.occurrenceAt }] : [],
    ),
  );
}

/** Moves the cursors; a mailing that is done waits for nobody who has joined. */
export async function setCalendar(tx: Transaction, decided: Decided[]): Promise<void> {
  await tx.affected(
    `UPDATE mailings m SET next_run_at = d.next_run_at, waited_until = CASE WHEN d.waits THEN app_now() END,
            joined_from = CASE WHEN NOT d.done THEN m.joined_from END
       FROM unnest($1::bigint[], $2::timestamptz[], $3::boolean[], $4::boolean[]) AS d(id, next_run_at, waits, done)
      WHERE m.id = d.id`,
    [
      decided.map(({ mailing }) => mailing.id),
      decided.map(({ plan }) => plan.nextRunAt),
      decided.map(({ plan }) => plan.wait),
      decided.map(({ plan }) => plan.done),
    ],
  );
}

export async function setStatus(tx: Transaction, status: MailingStatus, changes: StatusChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.affected(
    `UPDATE mailings m SET status = $1, status_code = c.code, status_text = c.text, status_by = c.by, status_since = app_now()
       FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS c(id, code, text, by) WHERE m.id = c.id`,
    [
      status,
      changes.map(({ mailing }) => mailing.id),
      changes.map(({ reason }) => reason.code),
      changes.map(({ reason }) => reason.text),
      changes.map(({ reason }) => reason.by),
    ],
  );
}
