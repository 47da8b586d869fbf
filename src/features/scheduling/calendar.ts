import type { Transaction } from '../../database/database';
import { decideResume, decideTick } from '../../domain/schedule-decision';
import type { Mailing } from '../mailings/mailing.entity';
import { type Decided, NO_REASON, setCalendar, setStatus, type StatusReason } from '../mailings/mailing-moves';
import type { RunsService } from '../runs/runs.service';
import { databaseNow, scheduleOf } from './facts';

const ENDED: StatusReason = { ...NO_REASON, code: 'ended' };

/**
 * What a tick has to do for these mailings, which are locked and started or paused. For a paused one only its end is
 * decided: what falls due meanwhile is decided when it is resumed.
 */
export async function decideDue(tx: Transaction, runs: RunsService, mailings: Mailing[]): Promise<Decided[]> {
  const now = await databaseNow(tx);
  const open = await runs.untried(
    tx,
    mailings.map((mailing) => mailing.id),
  );
  return mailings.flatMap((mailing) => {
    const facts = { schedule: scheduleOf(mailing), nextRunAt: mailing.nextRunAt, now };
    if (mailing.status === 'paused') {
      const decision = decideResume(facts);
      return decision.done ? [{ mailing, decision }] : [];
    }
    const runsOpen = open.filter((run) => run.mailingId === mailing.id);
    const decision = decideTick({
      ...facts,
      scheduledRunOpen: runsOpen.some((run) => run.trigger === 'schedule'),
      demandRunOpen: runsOpen.some((run) => run.trigger !== 'schedule'),
      waitedUntil: mailing.waitedUntil,
    });
    return [{ mailing, decision }];
  });
}

/**
 * Writes decisions, the next occurrences in the same transaction as the runs: a few statements however many mailings
 * there are, and some more for each that ends.
 * @returns the runs that began and are to be planned
 */
export async function carryOut(tx: Transaction, runs: RunsService, decided: Decided[]): Promise<number[]> {
  if (decided.length === 0) return [];
  await runs.recordMissed(
    tx,
    decided.flatMap(({ mailing, decision }) => decision.missed.map((missed) => ({ mailingId: mailing.id, ...missed }))),
  );
  await setCalendar(tx, decided);
  const ended = decided.filter(({ decision }) => decision.done).map(({ mailing }) => ({ mailing, reason: ENDED }));
  for (const { mailing } of ended) await runs.close(tx, mailing.id, 'ended');
  await setStatus(tx, 'done', ended);
  return runs.beginScheduled(
    tx,
    decided.flatMap(({ mailing, decision }) =>
      decision.run?.occurrenceAt && !decision.done
        ? [{ mailingId: mailing.id, occurrenceAt: decision.run.occurrenceAt }]
        : [],
    ),
  );
}
