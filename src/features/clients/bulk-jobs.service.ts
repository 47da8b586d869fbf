import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { failpoint } from '../../config/failpoint';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { searched } from '../../database/search';
import { type BulkAction, takesTags } from '../../domain/bulk';
import { NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, stoppableOwner, type Viewer } from '../../domain/permissions';
import { at, problem } from '../../domain/problems';
import { checkTags } from '../../domain/tag-names';
import { Repeated } from '../../logging/repeated';
import { BULK_JOB, PLAN_QUEUE, type PlanJob } from '../../queue/queues';
import { audit } from '../audit/audit';
import { skipSuppressedOf } from '../ledger/moves';
import { BULK_ACTIONS } from './bulk-actions';
import { BulkJob } from './bulk-job.entity';
import { asks, type ClientFilter, listedClients, tagIds } from './client-list';
import { tagsNamed } from './client-tags';
import { lockClients } from './delete-clients';
import { requireOwnClients } from './own-clients';
import { readSegment } from './segment-members';

/** To whom something is done: these clients, all whom a filter finds, or all. */
export interface NewBulkJob {
  action: BulkAction;
  /** The names of tags, of the actions that are about tags; those that do not exist are made to be given. */
  tags?: string[];
  clientIds?: number[];
  filter?: ClientFilter;
  /** Everybody; then there is no filter. */
  all?: boolean;
}

export type BulkJobView = Omit<BulkJob, 'tagIds' | 'clientIds' | 'filter' | 'lastId' | 'cursorId'>;

export const BULK_IDS_MAX = 100_000;
/** So many clients are done in one transaction. */
const PAGE = 2_000;
/** A job goes on for so long before `begin` answers; the rest is done by workers. */
const AT_ONCE_MS = 2_000;
const VIEW = 'j.id, j.owner_id, j.action, j.total, j.done, j.status, j.created_at, j.finished_at';

/**
 * What is done to many clients at once: page by page in id order, each page and the job's cursor in one transaction. So
 * a job whose process was killed goes on where it was, and no page is done twice.
 */
@Injectable()
export class BulkJobs {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    @InjectQueue(PLAN_QUEUE) private readonly queue: Queue<PlanJob>,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /**
   * Begins a job on the viewer's own clients; a small one is done when this returns.
   * @throws ValidationError
   */
  async begin(viewer: Viewer, input: NewBulkJob): Promise<{ jobId: number }> {
    const names = checked(input);
    const jobId = await this.database.transaction((tx) => this.insert(tx, viewer, input, names));
    try {
      if (await this.resume(jobId, AT_ONCE_MS)) return { jobId };
    } catch (error) {
      this.said.warn(
        { event: 'bulk.deferred', jobId, reason: (error as Error).message },
        'A bulk action was not done at once; a worker will do it',
      );
    }
    await this.enqueue(jobId);
    return { jobId };
  }

  private async insert(tx: Transaction, viewer: Viewer, input: NewBulkJob, names: string[]): Promise<number> {
    const { action } = input;
    const filter = input.clientIds ? null : await asItIs(tx, viewer, input.filter ?? {});
    const ownerId = viewer.userId;
    const clientIds = input.clientIds && [...new Set(input.clientIds)].sort((a, b) => a - b);
    if (input.clientIds) await requireOwnClients(tx, ownerId, input.clientIds);
    const tagIds = await tagsOf(tx, ownerId, action, names);
    const last = await tx.first<{ id: number | null }>('SELECT max(id) AS id FROM clients WHERE owner_id = $1', [
      ownerId,
    ]);
    const jobs = tx.manager.getRepository(BulkJob);
    const { id } = await jobs.save(
      jobs.create({
        ownerId,
        action,
        tagIds,
        clientIds: clientIds ?? null,
        filter,
        lastId: last?.id ?? 0,
        total: clientIds?.length ?? null,
      }),
    );
    await audit(tx, viewer, 'clients.bulk', { type: 'bulk_job', id }, { bulk: action });
    return id;
  }

  /**
   * Goes on with a job for about `maxMs`.
   * @returns whether nothing is left to do: it is done, stopped or not there
   */
  async resume(jobId: number, maxMs: number): Promise<boolean> {
    const until = performance.now() + maxMs;
    for (;;) {
      const page = await this.database.transaction((tx) => actOnPage(tx, jobId));
      if (page === null) return true;
      // Suppressions are committed first, then open letters are skipped: a claim that begins in between sees them.
      if (page.action === 'suppress') {
        failpoint('bulk-suppressed');
        await this.database.transaction((tx) => skipSuppressedOf(tx, page.clientIds));
        await this.database.transaction((tx) => advance(tx, page));
      }
      if (page.last) return true;
      if (performance.now() > until) return false;
    }
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<BulkJobView> {
    const job = await this.database.first<BulkJobView>(
      `SELECT ${VIEW} FROM bulk_jobs j WHERE j.id = $1 AND ($2::bigint IS NULL OR j.owner_id = $2)`,
      [id, readableOwner(viewer)],
    );
    if (!job) throw new NotFoundError('Job', id);
    return job;
  }

  /** Newest first. */
  list(viewer: Viewer, page: PageRequest): Promise<Page<BulkJobView>> {
    return listPage<BulkJobView>(
      this.database,
      {
        select: VIEW,
        from: 'bulk_jobs j',
        where: '($1::bigint IS NULL OR j.owner_id = $1)',
        params: [readableOwner(viewer)],
        ...newestFirst('j.id'),
      },
      page,
    );
  }

  /** Ends a job; what it has done stays. @throws NotFoundError */
  async stop(viewer: Viewer, id: number): Promise<BulkJobView> {
    await this.database.transaction(async (tx) => {
      const stopped = await tx.affected(
        `UPDATE bulk_jobs SET status = 'stopped', finished_at = app_now()
          WHERE id = $1 AND status = 'running' AND ($2::bigint IS NULL OR owner_id = $2)`,
        [id, stoppableOwner(viewer)],
      );
      if (stopped > 0) await audit(tx, viewer, 'clients.bulk_stop', { type: 'bulk_job', id });
    });
    return this.get(viewer, id);
  }

  /** For the sweeper: enqueues all that are not done. */
  async runPending(): Promise<void> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT id FROM bulk_jobs WHERE status = 'running' ORDER BY id`,
    );
    for (const { id } of rows) await this.enqueue(id);
  }

  private async enqueue(jobId: number): Promise<void> {
    try {
      await this.queue.add(
        BULK_JOB,
        { bulkJobId: jobId },
        { jobId: `bulk-${jobId}`, removeOnComplete: true, removeOnFail: true },
      );
    } catch (error) {
      this.said.warn(
        { event: 'bulk.not_enqueued', jobId, reason: (error as Error).message },
        'A bulk action was not enqueued; the sweeper will do it',
      );
    }
  }
}

type JobPage = Pick<BulkJob, 'id' | 'ownerId' | 'action'> & NextClients & { before: number };

/**
 * Does the next page of a job, which is locked meanwhile, and moves its cursor, but for `suppress`, which has a second
 * step. @returns null if nothing is left
 */
async function actOnPage(tx: Transaction, jobId: number): Promise<JobPage | null> {
  const jobs = tx.manager.getRepository(BulkJob);
  const job = await jobs.findOne({ where: { id: jobId, status: 'running' }, lock: { mode: 'for_no_key_update' } });
  if (!job) return null;
  const { id, ownerId, action, tagIds, cursorId } = job;
  const page = { id, ownerId, action, before: cursorId, ...(await nextClients(tx, job)) };
  if (page.clientIds.length > 0)
    await BULK_ACTIONS[action](tx, { ownerId, clientIds: page.clientIds, tagIds: tagIds.map(Number) });
  if (action !== 'suppress') await advance(tx, page);
  failpoint('bulk-page');
  return page;
}

interface NextClients {
  clientIds: number[];
  /** Everybody up to this id was looked at. */
  cursor: number;
  last: boolean;
}

/**
 * Looking for them may take long, so it locks nobody; then those who are still meant are locked, in id order, so that
 * two jobs can't wait for each other.
 */
async function nextClients(
  tx: Transaction,
  { ownerId, action, clientIds, filter, cursorId, lastId }: BulkJob,
): Promise<NextClients> {
  const { where, params } = clientIds
    ? { where: 'c.owner_id = $1', params: [ownerId] }
    : await listedClients(tx, { userId: ownerId, role: 'user' }, filter ?? {});
  const next = `$${params.length + 1}`;
  const idsOf = async (more: string, values: unknown[]) =>
    (
      await tx.rows<{ id: number }>(`SELECT c.id FROM clients c WHERE ${where} AND ${more}`, [...params, ...values])
    ).map(({ id }) => id);
  const looked = clientIds
    ? clientIds
        .map(Number)
        .filter((id) => id > cursorId)
        .slice(0, PAGE)
    : await idsOf(`c.id > ${next} AND c.id <= $${params.length + 2} ORDER BY c.id LIMIT ${PAGE}`, [cursorId, lastId]);
  // Before the clients of the page are locked, as undoing an import does.
  if (action === 'delete') await lockClients(tx);
  const found = await idsOf(`c.id = ANY(${next}::bigint[]) ORDER BY c.id FOR NO KEY UPDATE OF c`, [looked]);
  return { clientIds: found, cursor: looked.at(-1) ?? cursorId, last: looked.length < PAGE };
}

/** The cursor moves once for a page, whoever else did it at the same time. */
const advance = (tx: Transaction, { id, before, cursor, clientIds, last }: JobPage) =>
  tx.affected(
    `UPDATE bulk_jobs SET cursor_id = $3, done = done + $4, status = CASE WHEN $5 THEN 'done' ELSE status END,
            finished_at = CASE WHEN $5 THEN app_now() END
      WHERE id = $1 AND cursor_id = $2 AND status = 'running'`,
    [id, before, cursor, clientIds.length, last],
  );

/** A segment or a tag's name that is changed while the job goes on changes nothing of it. @throws ValidationError */
async function asItIs(tx: Transaction, viewer: Viewer, given: ClientFilter): Promise<ClientFilter> {
  const { segmentId, tag, ownerId: _, ...filter } = given;
  return {
    ...filter,
    ...(tag !== undefined && { tagIds: await tagIds(tx, tag, [viewer.userId, viewer.userId]) }),
    ...(segmentId !== undefined && { segment: await readSegment(tx, viewer, segmentId) }),
  };
}

/** The names of the tags, if the input is right. @throws ValidationError */
function checked({ action, tags = [], clientIds, filter = {}, all = false }: NewBulkJob): string[] {
  const { names, errors } = checkTags(tags);
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const isOneWay = [clientIds !== undefined, isFiltered, all].filter(Boolean).length === 1;
  const found = [
    ...errors,
    ...at('tags', takesTags(action) && names.length === 0 ? problem('required') : null),
    ...at('tags', !takesTags(action) && names.length > 0 ? problem('unknown_field') : null),
    ...at('clientIds', isOneWay && (!isFiltered || asks(filter)) ? null : problem('clients_or_filter')),
    ...at(
      'clientIds',
      (clientIds?.length ?? 0) > BULK_IDS_MAX ? problem('too_many', { max: BULK_IDS_MAX, what: 'ids' }) : null,
    ),
  ];
  if (found.length > 0) throw new ValidationError(found);
  return names;
}

/** Tags to be given are made if need be; those to be taken have to be there. @throws ValidationError */
async function tagsOf(tx: Transaction, ownerId: number, action: BulkAction, names: string[]): Promise<number[]> {
  if (action === 'tag') return tagsNamed(tx, ownerId, names);
  if (action !== 'untag') return [];
  const rows = await tx.rows<{ id: number | null; name: string }>(
    `SELECT n.name, t.id FROM unnest($2::text[]) n(name)
       LEFT JOIN tags t ON t.owner_id = $1 AND ${searched('t.name')} = ${searched('n.name')}`,
    [ownerId, names],
  );
  const unknown = rows.filter(({ id }) => id === null);
  if (unknown.length > 0)
    throw new ValidationError(
      unknown.flatMap(({ name }) => at('tags', problem('no_such_tag', { name, similar: null }))),
    );
  return rows.flatMap(({ id }) => id ?? []);
}
