import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Sql } from '../../database/database';
import { SERVICE_QUEUE, type ServiceJob } from '../../queue/queues';
import { NotFoundError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { Repeated } from '../../logging/repeated';
import type { TextLetterKind } from './letter-texts';

export interface NewLetter {
  kind: TextLetterKind | 'test';
  userId: number;
  email: string;
  payload?: Record<string, unknown>;
}

/** What became of a letter. */
export interface LetterState {
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

/** The service's own letters: written down in the caller's transaction, then handed to the worker by their id alone. */
@Injectable()
export class ServiceLetters {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    @InjectQueue(SERVICE_QUEUE) private readonly queue: Queue<ServiceJob>,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /** Returns the letter's id; `enqueue` it after the commit. */
  async write(sql: Sql, letter: NewLetter): Promise<number> {
    const row = await sql.first<{ id: number }>(
      'INSERT INTO service_letters (kind, user_id, email, payload) VALUES ($1, $2, $3, $4) RETURNING id',
      [letter.kind, letter.userId, letter.email, JSON.stringify(letter.payload ?? {})],
    );
    if (!row) throw new Error('an insert returned no row');
    return row.id;
  }

  /** What became of a test letter of the viewer's. @throws NotFoundError */
  async test(viewer: Viewer, id: number): Promise<LetterState> {
    const letter = await this.database.first<LetterState>(
      `SELECT id, kind, email, status, attempts, outcome, last_response, created_at, finished_at
         FROM service_letters WHERE id = $1 AND user_id = $2 AND kind = 'test'`,
      [id, viewer.userId],
    );
    if (!letter) throw new NotFoundError('Letter', id);
    return letter;
  }

  /** Without Redis the sweeper does it later. */
  async enqueue(letterId: number, attempts = 0): Promise<void> {
    try {
      await this.queue.add(
        'letter',
        { letterId },
        { jobId: `letter-${letterId}-${attempts}`, removeOnComplete: true, removeOnFail: true },
      );
    } catch (error) {
      this.said.warn(
        { event: 'letter.not_enqueued', letterId, reason: (error as Error).message },
        'Letter was not enqueued; the sweeper will do it',
      );
    }
  }

  /** For the sweeper: letters that are due, and those whose worker died with them in hand. */
  async enqueueDue(takeoverMs: number): Promise<void> {
    await this.database.affected(
      `UPDATE service_letters SET status = 'pending', next_attempt_at = now()
        WHERE status = 'sending' AND claimed_at < now() - 10 * $1 * interval '1 millisecond'`,
      [takeoverMs],
    );
    const due = await this.database.rows<{ id: number; attempts: number }>(
      `SELECT id, attempts FROM service_letters WHERE status = 'pending' AND next_attempt_at <= now() ORDER BY id LIMIT 1000`,
    );
    for (const letter of due) await this.enqueue(letter.id, letter.attempts);
  }
}
