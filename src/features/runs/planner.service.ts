import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { failpoint } from '../../config/failpoint';
import { Database, sqlState, type Transaction } from '../../database/database';
import { SKIP_REASON } from '../audiences/audience';
import { type Audience, audienceOf } from '../audiences/audiences';
import { planDeliveries } from '../ledger/moves';
import type { Run } from './run.entity';
import { advancePlan } from './run-moves';

const PAGE = 10_000;
const UNIQUE_VIOLATION = '23505';

type Planned = Pick<
  Run,
  'id' | 'mailingId' | 'ownerId' | 'trigger' | 'sourceRunId' | 'status' | 'planCursor' | 'plannedAt' | 'pausedAt'
> & {
  audience: Audience;
};

/**
 * Plans a run: gives every client of its audience a delivery, by pages in id order, each page and the cursor in one
 * transaction. So planning that was killed continues where it was, two processes take turns, and planning again is
 * harmless.
 */
@Injectable()
export class PlannerService {
  constructor(
    private readonly database: Database,
    private readonly logger: PinoLogger,
  ) {}

  /** @returns whether the run is planned now; false if it is paused, cancelled or not there */
  async plan(runId: number): Promise<boolean> {
    const startedAt = performance.now();
    let added = 0;
    for (;;) {
      const page = await this.database.transaction((tx) => this.planPage(tx, runId));
      if (page === 'not-planning') return false;
      added += page.added;
      if (page.last) break;
    }
    failpoint('planned');
    if (added >= PAGE) await this.refreshStatistics();
    this.logger.info(
      { event: 'run.planned', runId, deliveries: added, ms: Math.round(performance.now() - startedAt) },
      'Run is planned',
    );
    return true;
  }

  /**
   * The ledger may be a thousand times as large as a minute ago: new statistics also make every session drop the query
   * plans of its prepared statements, which were right for a small table. A failure only leaves that to autovacuum, a
   * minute later.
   */
  private async refreshStatistics(): Promise<void> {
    try {
      await this.database.affected('ANALYZE deliveries');
    } catch (error) {
      this.logger.warn(
        { event: 'run.not_analyzed', reason: (error as Error).message },
        'Statistics of deliveries are not refreshed',
      );
    }
  }

  private async planPage(tx: Transaction, runId: number): Promise<{ added: number; last: boolean } | 'not-planning'> {
    const run = await tx.first<Planned>(
      `SELECT r.id, r.mailing_id, r.owner_id, r.trigger, r.source_run_id, r.status, r.plan_cursor, r.planned_at,
        r.paused_at, m.audience
         FROM runs r JOIN mailings m ON m.id = r.mailing_id WHERE r.id = $1 FOR NO KEY UPDATE OF r`,
      [runId],
    );
    if (!run || !['planning', 'sending'].includes(run.status) || run.pausedAt) return 'not-planning';
    if (run.plannedAt) return { added: 0, last: true };
    const page = await insertPage(tx, run);
    failpoint('planning-page');
    const last = (page?.n ?? 0) < PAGE;
    await advancePlan(tx, runId, page?.cursor ?? run.planCursor, last);
    return { added: page?.added ?? 0, last };
  }
}

/**
 * Inserts a page's deliveries. It is rare that a client has one already, and checking each would cost a third of
 * planning: so ON CONFLICT is used only for a page that violates the unique key.
 */
async function insertPage(tx: Transaction, run: Planned) {
  const params = [run.id, run.planCursor, run.trigger === 'resend' ? run.sourceRunId : audienceOf(run).source(run)];
  await tx.affected('SAVEPOINT page');
  try {
    return await planDeliveries(tx, audiencePage(run), params);
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    await tx.affected('ROLLBACK TO SAVEPOINT page');
    return planDeliveries(tx, audiencePage(run), params, { again: true });
  }
}

/**
 * SQL: one page of a run's audience; the cursor is in units of `key`. Clients who can't get the letter have a reason.
 */
function audiencePage(run: Planned): string {
  if (run.trigger === 'resend') {
    return `SELECT d.id AS key, d.client_id, d.email,
                   CASE WHEN c.id IS NULL THEN 'client_deleted' ELSE ${SKIP_REASON} END AS reason
              FROM deliveries d LEFT JOIN clients c ON c.id = d.client_id
             WHERE d.run_id = $3 AND d.off_path IN ('failed', 'unknown') AND d.id > $2 ORDER BY d.id LIMIT ${PAGE}`;
  }
  return audienceOf(run).page(PAGE);
}
