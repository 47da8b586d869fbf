import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { ConflictError, DomainError, NotFoundError } from '../../domain/errors';
import { letterDigest, type LetterKey, messageIdPart, messageIdPartsIn } from '../../domain/message-id';
import type { Viewer } from '../../domain/permissions';
import type { MailingStatus, RunStatus } from '../../domain/states';
import { audit } from '../audit/audit';
import { countReconcilable, planClients, reconcileOpen, reconcileSent } from '../ledger/moves';
import { markRestored } from '../mailings/mailing-moves';
import { reopenRun } from './run-moves';
import { leftToOtherRuns } from './sending-tree';

/** How a run compares with what a mail server accepted. All count letters. */
export interface Reconciled {
  /** Letters of this run that the log names. */
  found: number;
  /** Of these: marked as sent now. */
  marked: number;
  /**
   * Deliveries that the log does not name and that are open: they go out when the mailing is resumed. Without those whose
   * letter was sent again by another run.
   */
  reopened: number;
  /** Letters of this service that the log names and that are not of this run. */
  notFound: number;
}

interface HeldRun {
  id: number;
  ownerId: number;
  mailingId: number;
  status: RunStatus;
  runKey: string | null;
}

const PAGE = 5_000;
const NOTHING: Reconciled = { found: 0, marked: 0, reopened: 0, notFound: 0 };

/**
 * Completes a ledger that was restored from a backup with what a mail server accepted meanwhile. The run is compared
 * page by page with the Message-IDs of a log, which are in a table, so that neither has to fit into memory. Harmless to
 * repeat.
 */
@Injectable()
export class ReconcileService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Marks as sent the deliveries of a run that `log` names, and makes the other open or unknown ones pending.
   * @throws NotFoundError; ConflictError RUN_NOT_HELD, because what is being sent can't be compared; DomainError
   * VALIDATION_FAILED
   * for a log without any Message-ID of this service
   */
  async reconcile(
    viewer: Viewer,
    runId: number,
    log: AsyncIterable<Buffer | string>,
    { dryRun = false } = {},
  ): Promise<Reconciled> {
    const run = await heldRun(this.database, runId);
    const job = randomUUID();
    try {
      const given = await this.stage(job, log);
      if (given === 0)
        throw new DomainError('invalid', 'VALIDATION_FAILED', 'The log holds no Message-ID of this service.');
      const total = { ...NOTHING };
      for (let after = 0; ;) {
        const page = await this.database.transaction((tx) => this.comparePage(tx, viewer, runId, job, after, dryRun));
        add(total, page.counts);
        if (page.last === null) break;
        after = page.last;
      }
      if (total.found < given && run.runKey !== null && run.status !== 'cancelled')
        add(total, await this.addUnplanned(viewer, run, job, dryRun));
      const result = { ...total, notFound: given - total.found };
      if (!dryRun) {
        const { marked, reopened } = result;
        await audit(this.database, viewer, 'run.reconcile', { type: 'run', id: runId }, { marked, reopened });
      }
      return result;
    } finally {
      await this.database.affected(
        `DELETE FROM accepted_letters WHERE job = $1 OR added_at < clock_timestamp() - interval '1 day'`,
        [job],
      );
    }
  }

  /** Writes the log's Message-IDs into the table. @returns how many there are, each counted once */
  private async stage(job: string, log: AsyncIterable<Buffer | string>): Promise<number> {
    let given = 0;
    const write = async (ids: Set<string>) => {
      given += await this.database.affected(
        `INSERT INTO accepted_letters (job, id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
        [job, [...ids]],
      );
      ids.clear();
    };
    const ids = new Set<string>();
    for await (const id of messageIdPartsIn(log)) if (ids.add(id).size >= PAGE) await write(ids);
    await write(ids);
    return given;
  }

  /** @returns the id after which to continue, or null if this was the last page */
  private async comparePage(
    tx: Transaction,
    viewer: Viewer,
    runId: number,
    job: string,
    after: number,
    dryRun: boolean,
  ): Promise<{ counts: Reconciled; last: number | null }> {
    const run = await heldRun(tx, runId);
    const page = await tx.rows<{ id: number; clientId: number }>(
      'SELECT id, client_id FROM deliveries WHERE run_id = $1 AND id > $2 ORDER BY id LIMIT $3',
      [runId, after, PAGE],
    );
    const accepted = await this.takeAccepted(
      tx,
      job,
      page.map(({ id, clientId }) => ({ runKey: run.runKey, runId, clientId, deliveryId: id })),
      (key) => key.deliveryId,
    );
    const others = page.map(({ id }) => id).filter((id) => !accepted.has(id));
    const left = await leftToOtherRuns(tx, runId, others);
    const rest = others.filter((id) => !left.has(id));
    const last = page.length < PAGE ? null : (page.at(-1)?.id ?? null);
    const marked = await this.markSent(tx, viewer, [...accepted], dryRun);
    const reopened = run.status === 'cancelled' ? 0 : await this.reopen(tx, run, rest, dryRun);
    return { counts: { ...NOTHING, found: accepted.size, marked, reopened }, last };
  }

  /**
   * The backup may be older than the planning of the run, or than a client who joined. Clients who, by the log, got the
   * letter get a delivery that is sent, so that planning leaves them out.
   */
  private async addUnplanned(viewer: Viewer, run: HeldRun, job: string, dryRun: boolean): Promise<Reconciled> {
    const total = { ...NOTHING };
    for (let after = 0, more = true; more;) {
      await this.database.transaction(async (tx) => {
        await heldRun(tx, run.id);
        const page = await tx.rows<{ id: number }>(
          `SELECT c.id FROM clients c WHERE c.owner_id = $1 AND c.id > $2
              AND NOT EXISTS (SELECT FROM deliveries d WHERE d.client_id = c.id AND d.run_id = $3)
                ORDER BY c.id LIMIT $4`,
          [run.ownerId, after, run.id, PAGE],
        );
        const keys = page.map(({ id }) => ({ runKey: run.runKey, runId: run.id, clientId: id, deliveryId: 0 }));
        const clients = [...(await this.takeAccepted(tx, job, keys, (key) => key.clientId))];
        const added = dryRun ? clients : await planClients(tx, run.id, clients);
        if (!dryRun) await this.markSent(tx, viewer, added, false);
        add(total, { ...NOTHING, found: clients.length, marked: added.length });
        more = page.length === PAGE;
        after = page.at(-1)?.id ?? after;
      });
    }
    return total;
  }

  /** Removes those of these letters from the table that the log names. */
  private async takeAccepted(
    tx: Transaction,
    job: string,
    keys: LetterKey[],
    name: (key: LetterKey) => number,
  ): Promise<Set<number>> {
    const rows = await tx.rows<{ name: number }>(
      `DELETE FROM accepted_letters a USING unnest($2::text[], $3::bigint[]) AS k(id, name)
        WHERE a.job = $1 AND a.id = k.id RETURNING k.name`,
      [job, keys.map((key) => messageIdPart(letterDigest(key, this.config.secretKey))), keys.map(name)],
    );
    return new Set(rows.map((row) => row.name));
  }

  private markSent(tx: Transaction, viewer: Viewer, ids: number[], dryRun: boolean): Promise<number> {
    const { takeoverMs } = this.config;
    return dryRun ? countReconcilable(tx, takeoverMs, ids) : reconcileSent(tx, takeoverMs, ids, viewer.userId);
  }

  private async reopen(tx: Transaction, run: HeldRun, ids: number[], dryRun: boolean): Promise<number> {
    const { takeoverMs } = this.config;
    const reopened = await countReconcilable(tx, takeoverMs, ids);
    if (dryRun || reopened === 0) return reopened;
    if (run.status === 'done') {
      await reopenRun(tx, run.id, true);
      await markRestored(tx, run.mailingId);
    }
    await reconcileOpen(tx, takeoverMs, ids);
    return reopened;
  }
}

/**
 * Locks the run until the commit.
 * @throws ConflictError unless nothing of it can be claimed before somebody resumes its mailing
 */
async function heldRun(sql: Pick<Transaction, 'first'>, runId: number): Promise<HeldRun> {
  // Locks the mailing before its run, the order in which everybody locks.
  const mailing = await sql.first<{ status: MailingStatus }>(
    'SELECT status FROM mailings WHERE id = (SELECT mailing_id FROM runs WHERE id = $1) FOR NO KEY UPDATE',
    [runId],
  );
  const run = await sql.first<HeldRun & { pausedAt: Date | null }>(
    `SELECT id, owner_id, mailing_id, status, letter_key AS run_key, paused_at FROM runs WHERE id = $1
       FOR NO KEY UPDATE`,
    [runId],
  );
  if (!mailing || !run) throw new NotFoundError('Run', runId);
  const live = run.status === 'planning' || run.status === 'sending';
  if (live ? !run.pausedAt : mailing.status === 'started')
    throw new ConflictError('RUN_NOT_HELD', `Letters of run ${runId} can still go out. Pause its mailing first.`);
  return run;
}

function add(total: Reconciled, more: Reconciled): void {
  for (const key of Object.keys(total) as (keyof Reconciled)[]) total[key] += more[key];
}
