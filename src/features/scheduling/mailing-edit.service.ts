import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { ConflictError, invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { type Viewer } from '../../domain/permissions';
import { decideEdit } from '../../domain/schedule-decision';
import { takes } from '../audiences/audiences';
import { type CheckedMailing, checkMailing, type MailingInput } from '../mailings/mailing-input';
import type { Mailing } from '../mailings/mailing.entity';
import { edit } from '../mailings/mailing-moves';
import {
  lockAnyMailing,
  lockMailing,
  type MailingView,
  MailingsService,
  requireMessage,
  requireSegments,
} from '../mailings/mailings.service';
import { isLive, replaceClients } from '../mailings/mailing-clients';
import { RunsService } from '../runs/runs.service';
import { carryOut, decideDue } from './calendar';
import { databaseNow, readRunFacts, scheduleOf } from './facts';
import { LifecycleService } from './lifecycle.service';
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
    private readonly lifecycle: LifecycleService,
  ) {}

  /**
   * Content and audience take effect from the next run; a changed schedule moves the next occurrence and never starts
   * several runs at once. An occurrence that is due before the edit is handled first, as by the tick: that may pause
   * the mailing.
   * @param change its version: the one that the caller began with
   * @throws ConflictError CHANGED_MEANWHILE, MAILING_DONE, MAILING_STARTED, MAILING_ENDED
   */
  async update(
    viewer: Viewer,
    id: number,
    { version, ...change }: Partial<MailingInput> & { version?: number },
  ): Promise<MailingView> {
    const { planned, warnings } = await this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      requireStatus(mailing, 'changed');
      const clientIds = change.clientIds;
      const asked = { ...mailing, messageId: mailing.messageId ?? 0, ...given(change) };
      // A segment that belongs to the audience before is not part of the new one.
      const kept = takes(asked.audience, 'segmentId') || change.segmentId ? asked.segmentId : null;
      const checked = checkMailing({ ...asked, segmentId: kept, clientIds: undefined }, mailing);
      await requireVersion(tx, mailing, version, () => clientIds === undefined && isUnchanged(mailing, checked));
      await actAs(tx, viewer);
      if (checked.audience !== mailing.audience && mailing.status !== 'created') {
        throw new ConflictError('MAILING_STARTED', 'The kind of audience of a started mailing cannot be changed.');
      }
      const selects = takes(checked.audience, 'clientIds');
      if (clientIds && !selects) throw invalid('clientIds', problem('clients_of_all'));
      await requireSegments(tx, mailing.ownerId, checked);
      if (checked.messageId !== mailing.messageId) await requireMessage(tx, mailing.ownerId, checked.messageId);
      if (isLive(mailing) && mailing.endAt && mailing.endAt <= (await databaseNow(tx))) throw MAILING_ENDED();
      const planned =
        mailing.status === 'started'
          ? await this.lifecycle.carryOutTick(tx, await decideDue(tx, this.runs, [mailing]))
          : [];
      await edit(tx, id, checked, clientIds !== undefined);
      if (!selects || clientIds) await replaceClients(tx, mailing, clientIds ?? []);
      if (mailing.status === 'created') return { planned, warnings: checked.warnings };
      const { schedule } = checked;
      const before = await lockAnyMailing(tx, id);
      const facts = await readRunFacts(tx, { ...before, ...schedule });
      const decision = decideEdit({
        ...facts,
        previous: scheduleOf(mailing),
        schedule,
        nextRunAt: before.nextRunAt,
        paused: before.status === 'paused',
      });
      await this.runs.setEnd(tx, id, schedule.endAt);
      return {
        planned: [...planned, ...(await carryOut(tx, this.runs, [{ mailing: before, decision }]))],
        warnings: checked.warnings,
      };
    });
    await this.plans.add(planned);
    await this.runs.finishOnceMailings();
    return { ...(await this.mailings.get(viewer, id)), warnings };
  }
}

/** Whether the mailing is already as it would be after the change. */
function isUnchanged(mailing: Mailing, { schedule, warnings: _, ...checked }: CheckedMailing): boolean {
  const next = { ...checked, ...schedule };
  const now = Object.fromEntries(Object.keys(next).map((name) => [name, mailing[name as keyof Mailing]]));
  return sameContent(now, next);
}

/** The fields that the caller gave. */
function given<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
