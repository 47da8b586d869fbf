import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { ConflictError, ValidationError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { planEdit } from '../../domain/schedule-decision';
import { checkMailing, type MailingInput } from '../mailings/mailing-input';
import type { Mailing } from '../mailings/mailing.entity';
import {
  addClients,
  isLive,
  lockMailing,
  type MailingView,
  MailingsService,
  requireMessage,
} from '../mailings/mailings.service';
import { RunsService } from '../runs/runs.service';
import { carryOut, decideTick } from './calendar';
import { databaseNow, readRunFacts, scheduleOf } from './facts';
import { PlanJobs } from './plan-jobs.service';
import { MAILING_ENDED, requireStatus } from './preconditions';

/** Changes of a mailing, also while it is started. */
@Injectable()
export class MailingEditService {
  constructor(
    private readonly database: Database,
    private readonly mailings: MailingsService,
    private readonly runs: RunsService,
    private readonly plans: PlanJobs,
  ) {}

  /** Content and audience count from the next run; a changed schedule moves the next occurrence, without a burst. */
  async update(viewer: Viewer, id: number, change: Partial<MailingInput>): Promise<MailingView> {
    const { planned, warnings } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, writableOwner(viewer));
      requireStatus(mailing, 'changed', ['created', 'started', 'paused']);
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
      if (checked.audience === 'all' || clientIds) await replaceClients(tx, mailing, clientIds ?? []);
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
    await this.plans.add(planned);
    await this.runs.finishOnceMailings();
    return { ...(await this.mailings.get(viewer, id)), warnings };
  }
}

async function replaceClients(tx: Transaction, mailing: Mailing, clientIds: number[]): Promise<void> {
  await tx.affected('DELETE FROM mailing_clients WHERE mailing_id = $1 AND client_id <> ALL($2::bigint[])', [
    mailing.id,
    clientIds,
  ]);
  if (clientIds.length > 0) {
    await addClients(tx, { id: mailing.id, ownerId: mailing.ownerId, live: isLive(mailing) }, clientIds);
  }
}

/** The fields that the caller gave. */
function given<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
