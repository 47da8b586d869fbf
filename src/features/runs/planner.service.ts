import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { failpoint } from '../../config/failpoint';
import { limitStatements, tookTooLong } from '../../database/bounded';
import { Database, sqlState, type Transaction } from '../../database/database';
import { SKIP_REASON } from '../audiences/audience';
import { audienceOf } from '../audiences/audiences';
import { type Chosen, isFiltered, letInSql } from '../audiences/members';
import { planDeliveries } from '../ledger/moves';
import type { Run } from './run.entity';
import { advancePlan } from './run-moves';
import { hasItElsewhere } from './sending-tree';

/** How many clients one page looks at, and how few if a filter takes long for each. */
const PAGE = 10_000;
const SMALL_PAGE = 100;
/** How long a page of a filtered audience may take before a smaller one is tried. */
const PAGE_MS = 5_000;
const UNIQUE_VIOLATION = '23505';

type Planned = Pick<
  Run,
  'id' | 'mailingId' | 'ownerId' | 'trigger' | 'sourceRunId' | 'status' | 'planCursor' | 'plannedAt' | 'pausedAt'
> &
  Pick<Run, 'createdAt'> &
  Omit<Chosen, 'now'>;

/**
 * Plans a run: gives every client of its audience a delivery, by pages in id order, each page and the cursor in one
 * transaction. So planning that was killed continues where it was, two processes take turns, and planning again is
 * harmless. A page is bounded by the clients it looks at, not by those it finds: where a segment lets few in, it is as
 * short as any other. Segments are asked as they were when the run began, and at that time.
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
    let [added, limit] = [0, PAGE];
    for (;;) {
      const page = await this.database.transaction((tx) => this.planPage(tx, runId, limit));
      if (page === 'not-planning') return false;
      added += page.added;
      limit = page.limit;
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

  private async planPage(
    tx: Transaction,
    runId: number,
    limit: number,
  ): Promise<{ added: number; last: boolean; limit: number } | 'not-planning'> {
    const run = await tx.first<Planned>(
      `SELECT r.id, r.mailing_id, r.owner_id, r.trigger, r.source_run_id, r.status, r.plan_cursor, r.planned_at,
        r.paused_at, r.created_at, m.audience, u.time_zone, r.exclude_filter, r.segment_filter
         FROM runs r JOIN mailings m ON m.id = r.mailing_id JOIN users u ON u.id = r.owner_id
        WHERE r.id = $1 FOR NO KEY UPDATE OF r`,
      [runId],
    );
    if (!run || !['planning', 'sending'].includes(run.status) || run.pausedAt) return 'not-planning';
    if (run.plannedAt) return { added: 0, last: true, limit };
    const page = await insertPage(tx, run, limit);
    failpoint('planning-page');
    const last = page.n < page.limit;
    await advancePlan(tx, runId, page.cursor ?? run.planCursor, last);
    return { added: page.added, last, limit: page.limit };
  }
}

/**
 * Inserts a page's deliveries. It is rare that a client has one already, and checking each would cost a third of
 * planning: so ON CONFLICT is used only for a page that violates the unique key. A filter that takes too long for so
 * many clients is asked about fewer, so that the transaction stays short.
 */
async function insertPage(tx: Transaction, run: Planned, most: number) {
  const isBounded = run.trigger !== 'resend' && isFiltered({ ...run, now: null });
  for (let limit = most, again = false; ;) {
    const { sql, params } = audiencePage(run, limit);
    await tx.affected('SAVEPOINT page');
    try {
      if (isBounded && limit > SMALL_PAGE) await limitStatements(tx, PAGE_MS);
      const page = await planDeliveries(tx, sql, params, { again });
      return { cursor: null, n: 0, added: 0, ...page, limit };
    } catch (error) {
      const isDoubled = !again && sqlState(error) === UNIQUE_VIOLATION;
      const isSlow = isBounded && limit > SMALL_PAGE && tookTooLong(error);
      if (!isDoubled && !isSlow) throw error;
      await tx.affected('ROLLBACK TO SAVEPOINT page');
      if (isDoubled) again = true;
      else limit = Math.max(SMALL_PAGE, Math.floor(limit / 10));
    }
  }
}

/**
 * SQL: one page of a run's audience; the cursor is in units of `key`. Clients who can't get the letter have a reason.
 */
function audiencePage(run: Planned, limit: number): { sql: string; params: unknown[] } {
  if (run.trigger === 'resend') {
    return {
      sql: `SELECT d.id AS key, d.client_id, d.email, NOT ${hasItElsewhere('$3')} AS chosen,
                   CASE WHEN c.id IS NULL OR d.email LIKE 'erased:%' THEN 'client_deleted'
                        ELSE ${SKIP_REASON} END AS reason
              FROM (SELECT id, client_id, email FROM deliveries
                     WHERE run_id = $3 AND off_path IN ('failed', 'unknown') AND id > $2 ORDER BY id LIMIT ${limit}) d
              LEFT JOIN clients c ON c.id = d.client_id`,
      params: [run.id, run.planCursor, run.sourceRunId],
    };
  }
  const kind = audienceOf(run);
  const params: unknown[] = [run.id, run.planCursor, kind.source(run)];
  return { sql: kind.page(limit, letInSql({ ...run, now: run.createdAt }, params)), params };
}
