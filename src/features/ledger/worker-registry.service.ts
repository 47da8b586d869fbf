import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { version } from '../../config/version';
import { Database, type Transaction } from '../../database/database';
import { type Watched, watch, watchedMs } from '../../domain/silence';
import { Repeated } from '../../logging/repeated';

/**
 * Registers this worker process in the ledger, and watches the others. Clocks of different machines are never compared:
 * a heartbeat changes the worker's row, and each worker measures, by its own monotonic clock, for how long the rows of
 * the others have not changed. A worker that was silent for TAKEOVER_MS and one heartbeat is marked as stopped; then
 * its claims may be taken over.
 *
 * A worker always stops sending before it is marked. It measures its own silence from the moment before it sent the
 * last acknowledged heartbeat; another worker can see that heartbeat only later, counts from when it has read it, and
 * does not count time in which it did not watch. So when the others have counted TAKEOVER_MS, more than that has passed
 * here; the additional heartbeat allows for clocks that do not run equally fast. The mark is set only if the row still
 * shows the heartbeat that was watched. A worker writes no final dot unless it is `alive`, and when it finds that it
 * was silent for too long it drops all connections and forgets claims of an earlier `epoch`.
 */
@Injectable()
export class WorkerRegistry {
  /** Why this worker can't use Redis; stored with the next heartbeat. */
  redisReason: string | null = null;
  private workerId: number | undefined;
  private aliveAt = -Infinity;
  private stopped = false;
  private epochNumber = 0;
  private fenced: () => void = () => {};
  private timer: NodeJS.Timeout | undefined;
  private others: ReadonlyMap<number, Watched> = new Map();
  private lookedAt = -Infinity;
  private beatingSince = -Infinity;
  private readonly failures: Repeated;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  get id(): number {
    if (this.workerId === undefined) throw new Error('this worker is not registered yet');
    return this.workerId;
  }

  /** Undefined if the worker stopped before it was registered. */
  get knownId(): number | undefined {
    return this.workerId;
  }

  async register(): Promise<void> {
    const sentAt = performance.now();
    const row = await this.database.first<{ id: number }>(
      'INSERT INTO workers (host, pid, version) VALUES ($1, $2, $3) RETURNING id',
      [hostname(), process.pid, version],
    );
    this.workerId = row?.id;
    this.aliveAt = sentAt;
    this.timer = setInterval(() => void this.beat(), this.config.heartbeatMs);
    this.logger.info({ event: 'worker.registered', workerId: this.id }, 'Worker is registered');
  }

  /**
   * Writes a heartbeat and reads those of the others. A failure counts as silence, so that the worker stops sending in
   * time.
   */
  async beat(): Promise<void> {
    // While a heartbeat waits for its answer no other is sent, because they would use up the connections; but an
    // unanswered one does not prevent others for ever.
    const sentAt = performance.now();
    if (sentAt - this.beatingSince < this.config.takeoverMs / 2) return;
    this.beatingSince = sentAt;
    await this.beatOnce(sentAt);
    if (this.beatingSince === sentAt) this.beatingSince = -Infinity;
  }

  private async beatOnce(sentAt: number): Promise<void> {
    let lost: number[];
    try {
      const rows = await this.database.rows<{ id: number; beat: string }>(
        `WITH mine AS (UPDATE workers SET heartbeat_at = clock_timestamp(), stopped_at = NULL, redis_reason = $2
          WHERE id = $1)
         SELECT id, heartbeat_at::text AS beat FROM workers WHERE stopped_at IS NULL OR id = $1`,
        [this.id, this.redisReason],
      );
      if (!rows.some(({ id }) => id === this.id))
        throw new Error(`worker ${this.id} is not in the database any more; restart it`);
      // This heartbeat may have overtaken the stop, so the stop is written again.
      if (this.stopped) return await this.stop();
      this.acknowledged(sentAt);
      lost = await this.watchOthers(rows, sentAt);
    } catch (error) {
      this.failures.warn({ event: 'worker.heartbeat_failed', reason: (error as Error).message }, 'A heartbeat failed');
      return;
    }
    if (lost.length > 0)
      this.logger.warn({ event: 'worker.lost', workers: lost }, 'Workers are silent; their claims are taken over');
  }

  /** Whether nobody can have taken over this worker's claims. */
  get alive(): boolean {
    return !this.stopped && performance.now() - this.aliveAt < this.config.takeoverMs;
  }

  /** Changes when claims may have been taken over: compare its value before a claim with that before sending. */
  get epoch(): number {
    return this.epochNumber;
  }

  onFenced(drop: () => void): void {
    this.fenced = drop;
  }

  /** From now on others may take over the claims of this worker, so it writes no further dot. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    if (this.workerId === undefined) return;
    await this.database.affected('UPDATE workers SET stopped_at = clock_timestamp() WHERE id = $1', [this.id]);
  }

  /**
   * After a silence several heartbeats may be acknowledged at once, each sent soon after the one before. So the silence
   * is measured up to now: if this worker was not alive a moment ago, its claims may have been taken over.
   */
  private acknowledged(sentAt: number): void {
    const silentMs = performance.now() - this.aliveAt;
    if (silentMs > this.config.takeoverMs) {
      this.epochNumber++;
      this.fenced();
      this.logger.warn(
        { event: 'worker.fenced', silentMs: Math.round(silentMs) },
        'Worker was silent for too long and dropped its claims',
      );
    }
    this.aliveAt = Math.max(this.aliveAt, sentAt);
  }

  /** @returns the workers that were silent for too long and have just been marked as stopped */
  private async watchOthers(rows: { id: number; beat: string }[], sentAt: number): Promise<number[]> {
    const { heartbeatMs, takeoverMs } = this.config;
    const others = rows.filter(({ id }) => id !== this.id);
    this.others = watch(this.others, others, watchedMs(sentAt - this.lookedAt, heartbeatMs));
    this.lookedAt = performance.now();
    const silent = [...this.others].filter(([, { silentMs }]) => silentMs >= takeoverMs + heartbeatMs);
    if (silent.length === 0) return [];
    const marked = await this.database.rows<{ id: number }>(
      `UPDATE workers w SET stopped_at = clock_timestamp() FROM unnest($1::bigint[], $2::text[]) AS silent(id, beat)
        WHERE w.id = silent.id AND w.stopped_at IS NULL AND w.heartbeat_at::text = silent.beat RETURNING w.id`,
      [silent.map(([id]) => id), silent.map(([, { beat }]) => beat)],
    );
    return marked.map(({ id }) => id);
  }
}

/** In a restored database: all workers that it lists are gone. */
export const stopAllWorkers = (tx: Transaction) =>
  tx.affected('UPDATE workers SET stopped_at = clock_timestamp() WHERE stopped_at IS NULL');
