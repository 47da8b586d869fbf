import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql } from '../../database/database';
import { SERVICE_QUEUE, type ServiceJob } from '../../queue/queues';
import { NotFoundError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { Repeated } from '../../logging/repeated';
import type { NoticeKind } from './notice-texts';

export interface NewNotice {
  kind: NoticeKind;
  userId: number;
  email: string;
  payload?: Record<string, unknown>;
}

/** What became of a notice. */
export interface NoticeState {
  id: number;
  kind: string;
  email: string;
  status: 'pending' | 'sending' | 'sent' | 'failed';
  attempts: number;
  outcome: string | null;
  lastResponse: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** The service's notices: stored in the caller's transaction, then given to a worker by their id alone. */
@Injectable()
export class Notices {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    @InjectQueue(SERVICE_QUEUE) private readonly queue: Queue<ServiceJob>,
    @Inject(CONFIG) private readonly config: Config,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /** Returns the notice's id; `enqueue` it after the commit. */
  async write(sql: Sql, notice: NewNotice): Promise<number> {
    const row = await sql.first<{ id: number }>(
      'INSERT INTO notices (kind, user_id, email, payload) VALUES ($1, $2, $3, $4) RETURNING id',
      [notice.kind, notice.userId, notice.email, JSON.stringify(notice.payload ?? {})],
    );
    if (!row) throw new Error('an insert returned no row');
    return row.id;
  }

  /** The same as the user's last notice of this kind once more; undefined if there was none. */
  async again(sql: Sql, userId: number, kind: NoticeKind): Promise<number | undefined> {
    const row = await sql.first<{ id: number }>(
      `INSERT INTO notices (kind, user_id, email, payload)
       SELECT kind, user_id, email, payload FROM notices WHERE user_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1
       RETURNING id`,
      [userId, kind],
    );
    return row?.id;
  }

  /** What became of a test notice of the viewer. @throws NotFoundError */
  async test(viewer: Viewer, id: number): Promise<NoticeState> {
    const notice = await this.database.first<NoticeState>(
      `SELECT id, kind, email, status, attempts, outcome, last_response, created_at, finished_at
         FROM notices WHERE id = $1 AND user_id = $2 AND kind = 'test'`,
      [id, viewer.userId],
    );
    if (!notice) throw new NotFoundError('Letter', id);
    return notice;
  }

  /** Without Redis the sweeper does it later. */
  async enqueue(noticeId: number, attempts = 0): Promise<void> {
    try {
      await this.queue.add(
        'notice',
        { noticeId },
        { jobId: `notice-${noticeId}-${attempts}`, removeOnComplete: true, removeOnFail: true },
      );
    } catch (error) {
      this.said.warn(
        { event: 'notice.not_enqueued', noticeId, reason: (error as Error).message },
        'Notice was not enqueued; the sweeper will do it',
      );
    }
  }

  /** For the sweeper: enqueues notices that are due, and those whose worker died while sending them. */
  async enqueueDue(): Promise<void> {
    await this.database.affected(
      `UPDATE notices SET status = 'pending', next_attempt_at = now()
        WHERE status = 'sending' AND claimed_at < now() - 10 * $1 * interval '1 millisecond'`,
      [this.config.takeoverMs],
    );
    const due = await this.database.rows<{ id: number; attempts: number }>(
      `SELECT id, attempts FROM notices WHERE status = 'pending' AND next_attempt_at <= now() ORDER BY id LIMIT 1000`,
    );
    for (const notice of due) await this.enqueue(notice.id, notice.attempts);
  }
}
