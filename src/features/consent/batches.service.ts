import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst, type View, viewWhere } from '../../database/list';
import { ConflictError, invalid, NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { liftableReasons, readableOwner, reach, requireMay, type Viewer } from '../../domain/permissions';
import { type FieldProblem, problem } from '../../domain/problems';
import type { BatchDecision, BatchKind } from '../../domain/suppression';
import { audit } from '../audit/audit';
import { domainOf, OF_ANSWERS } from './suppression-sql';

/** Suppressions that came from one file, or that were withheld during one outage of a mail server. */
export interface BatchView {
  id: number;
  kind: BatchKind;
  createdAt: Date;
  /** Null for an outage. */
  ownerId: number | null;
  fileName: string;
  rows: number;
  added: number;
  known: number;
  ignored: number;
  rejected: number;
  ignoredColumns: string[];
  problems: { line: number; errors: FieldProblem[] }[];
  completeAt: Date | null;
  /** Of an outage; null: all domains together. */
  domain: string | null;
  refused: number;
  accepted: number;
  until: Date | null;
  decision: BatchDecision | null;
  decidedAt: Date | null;
  /** How many of its addresses are suppressed at present because of it. */
  inForce: number;
  /** How many are not: those that were lifted, and those that an outage withholds. */
  lifted: number;
}

/** An outage that somebody has to decide about. */
export type Outage = Pick<BatchView, 'id' | 'domain' | 'refused'>;

/** What is undone: a batch, or the hard bounces of a time at one domain. */
export interface Undo {
  batchId?: number;
  from?: Date;
  to?: Date;
  provider?: string;
}

const VIEW: View = {
  select: `b.id, b.kind, b.created_at, b.owner_id, b.file_name, b.rows, b.added, b.known, b.ignored, b.rejected,
    b.ignored_columns, b.problems, b.complete_at, b.domain, b.refused, b.accepted, b.until, b.decision, b.decided_at,
    n.in_force, n.lifted`,
  from: `suppression_batches b, LATERAL (
    SELECT count(*) FILTER (WHERE s.lifted_at IS NULL) AS in_force,
           count(*) FILTER (WHERE s.lifted_at IS NOT NULL AND (b.kind = 'import' OR
             (s.lift_reason = 'outage' AND b.decision IS DISTINCT FROM 'suppressed'))) AS lifted
      FROM suppressions s WHERE s.batch_id = b.id) n`,
};
/** SQL: the batches that the viewer $1 may see: their files, and outages, which concern everybody. */
const VISIBLE = `(b.complete_at IS NOT NULL OR b.kind = 'outage') AND ($1::bigint IS NULL OR b.owner_id = $1)`;

@Injectable()
export class SuppressionBatches {
  constructor(private readonly database: Database) {}

  /** Newest first. A user sees their files; outages are for those who may decide about them. */
  list(viewer: Viewer, page: PageRequest): Promise<Page<BatchView>> {
    return listPage<BatchView>(
      this.database,
      { ...VIEW, where: VISIBLE, params: [readableOwner(viewer)], ...newestFirst('b.id') },
      page,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<BatchView> {
    const found = await this.database.first<BatchView>(viewWhere(VIEW, `${VISIBLE} AND b.id = $2`), [
      readableOwner(viewer),
      id,
    ]);
    if (!found) throw new NotFoundError('Batch', id);
    return found;
  }

  /** Outages that nobody has decided about; for those who may. */
  async undecided(viewer: Viewer): Promise<Outage[]> {
    if (reach(viewer, 'outages.decide') === 'none') return [];
    return this.database.rows<Outage>(
      `SELECT id, domain, refused FROM suppression_batches WHERE kind = 'outage' AND decision IS NULL
        ORDER BY id DESC LIMIT 20`,
    );
  }

  /**
   * Its addresses get mail again, as far as the viewer may lift the reasons and no other list names them; it is undone
   * when none is left. Harmless to repeat.
   * @returns how many were lifted
   * @throws ValidationError, NotFoundError, ForbiddenError
   */
  async undo(viewer: Viewer, { batchId, from, to, provider }: Undo): Promise<number> {
    if (batchId !== undefined) return this.undoBatch(viewer, batchId);
    if (from === undefined) throw invalid('from', problem('required'));
    requireMay(viewer, 'outages.decide');
    return this.database.transaction(async (tx) => {
      await audit(tx, viewer, 'suppressions.undo', { type: 'suppression' });
      return tx.affected(
        `UPDATE suppressions SET lifted_at = app_now(), lifted_by = nullif($4::bigint, 0), lift_reason = 'undone'
          WHERE ${OF_ANSWERS} AND lifted_at IS NULL AND created_at >= $1
            AND ($2::timestamptz IS NULL OR created_at <= $2) AND ($3::text IS NULL OR ${domainOf('email_key')} = $3)`,
        [from, to ?? null, provider?.trim().toLowerCase() ?? null, viewer.userId],
      );
    });
  }

  private undoBatch(viewer: Viewer, id: number): Promise<number> {
    return this.database.transaction(async (tx) => {
      await this.lock(tx, viewer, id);
      await audit(tx, viewer, 'suppressions.undo', { type: 'suppression_batch', id });
      await leaveToOthers(tx, id);
      const lifted = await tx.affected(
        `UPDATE suppressions SET lifted_at = app_now(), lifted_by = nullif($2::bigint, 0), lift_reason = 'undone'
          WHERE batch_id = $1 AND lifted_at IS NULL AND reason = ANY($3)`,
        [id, viewer.userId, liftableReasons(viewer)],
      );
      const left = await tx.first('SELECT id FROM suppressions WHERE batch_id = $1 AND lifted_at IS NULL LIMIT 1', [
        id,
      ]);
      if (!left) await decide(tx, viewer, id, 'undone');
      return lifted;
    });
  }

  /**
   * The addresses that an outage withheld are suppressed after all, and so are those that follow: each for whom, and for
   * how long, it would have been without the outage.
   * @returns how many were suppressed
   * @throws NotFoundError, ForbiddenError, ConflictError NOTHING_WITHHELD
   */
  suppressAll(viewer: Viewer, id: number): Promise<number> {
    requireMay(viewer, 'outages.decide');
    return this.database.transaction(async (tx) => {
      const kind = await this.lock(tx, viewer, id);
      if (kind !== 'outage') throw new ConflictError('NOTHING_WITHHELD', 'Nothing of this batch was withheld.');
      await decide(tx, viewer, id, 'suppressed');
      await audit(tx, viewer, 'suppressions.confirm', { type: 'suppression_batch', id });
      return tx.affected(
        `INSERT INTO suppressions AS s
           (owner_id, listed_for, email_key, address_hash, reason, source, detail, delivery_id, expires_at, batch_id)
         SELECT DISTINCT ON (owner_id, address_hash) owner_id, listed_for, email_key, address_hash, reason, source,
                detail, delivery_id, expires_at, batch_id
           FROM suppressions WHERE batch_id = $1 AND lift_reason = 'outage'
          ORDER BY owner_id, address_hash, expires_at DESC NULLS FIRST, id DESC
         ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO UPDATE
           SET expires_at = excluded.expires_at WHERE s.expires_at < coalesce(excluded.expires_at, 'infinity')`,
        [id],
      );
    });
  }

  /** Locks the batch. @returns its kind */
  private async lock(tx: Transaction, viewer: Viewer, id: number): Promise<BatchKind> {
    const found = await tx.first<{ kind: BatchKind }>(
      `SELECT b.kind FROM suppression_batches b WHERE ${VISIBLE} AND b.id = $2 FOR UPDATE`,
      [readableOwner(viewer), id],
    );
    if (!found) throw new NotFoundError('Batch', id);
    return found.kind;
  }
}

/** What another list names too stays suppressed because of that one, the oldest of them. */
async function leaveToOthers(tx: Transaction, id: number): Promise<void> {
  // A list that is being taken in has locked what it names; its claims are seen by the next statement.
  await tx.first(
    `SELECT count(*) AS n FROM (
       SELECT FROM suppressions WHERE batch_id = $1 AND lifted_at IS NULL ORDER BY address_hash FOR UPDATE) locked`,
    [id],
  );
  await tx.affected('DELETE FROM suppression_claims WHERE batch_id = $1', [id]);
  await tx.affected(
    `WITH next AS (
       SELECT c.suppression_id, min(c.batch_id) AS batch_id FROM suppressions s
         JOIN suppression_claims c ON c.suppression_id = s.id
        WHERE s.batch_id = $1 AND s.lifted_at IS NULL GROUP BY 1),
     taken AS (DELETE FROM suppression_claims c USING next n
        WHERE c.suppression_id = n.suppression_id AND c.batch_id = n.batch_id)
     UPDATE suppressions s SET batch_id = n.batch_id FROM next n WHERE s.id = n.suppression_id`,
    [id],
  );
}

const decide = (tx: Transaction, viewer: Viewer, id: number, decision: BatchDecision) =>
  tx.affected(
    `UPDATE suppression_batches SET decision = $2, decided_at = app_now(), decided_by = nullif($3::bigint, 0)
      WHERE id = $1`,
    [id, decision, viewer.userId],
  );
