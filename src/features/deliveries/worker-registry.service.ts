import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { version } from '../../config/version';

/**
 * This worker process as the ledger knows it. Its claims are alive as long as its heartbeat, on the database's clock, is
 * younger than the take-over time. The worker itself measures from before it sent the last acknowledged heartbeat, so it
 * always gives up before others take over: it writes no final dot unless `alive`, and when it finds that it was silent for
 * too long it drops all connections and forgets claims of an earlier `epoch`.
 */
@Injectable()
export class WorkerRegistry {
  private workerId: number | undefined;
  private aliveAt = -Infinity;
  private epochNumber = 0;
  private fenced: () => void = () => {};
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  get id(): number {
    if (this.workerId === undefined) throw new Error('this worker is not registered yet');
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

  /** Says that this worker is alive; a failure is silence, which fences it in time. */
  async beat(): Promise<void> {
    const sentAt = performance.now();
    try {
      const found = await this.database.affected(
        'UPDATE workers SET heartbeat_at = clock_timestamp(), stopped_at = NULL WHERE id = $1',
        [this.id],
      );
      if (found === 0) throw new Error(`worker ${this.id} is not in the database any more; restart it`);
    } catch (error) {
      this.logger.warn(
        { event: 'worker.heartbeat_failed', reason: (error as Error).message },
        'Heartbeat was not acknowledged',
      );
      return;
    }
    if (sentAt - this.aliveAt > this.config.takeoverMs) {
      this.epochNumber++;
      this.fenced();
      this.logger.warn(
        { event: 'worker.fenced', silentMs: Math.round(sentAt - this.aliveAt) },
        'Worker was silent for too long and dropped what it held',
      );
    }
    this.aliveAt = Math.max(this.aliveAt, sentAt);
  }

  /** Whether nobody can have taken over what this worker holds. */
  get alive(): boolean {
    return performance.now() - this.aliveAt < this.config.takeoverMs;
  }

  /** Changes when claims may have been taken over; compare the one from before a claim with the one before sending. */
  get epoch(): number {
    return this.epochNumber;
  }

  onFenced(drop: () => void): void {
    this.fenced = drop;
  }

  /** From now on others may take over what this worker still holds; so it writes no further dot. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.aliveAt = -Infinity;
    if (this.workerId === undefined) return;
    await this.database.affected('UPDATE workers SET stopped_at = clock_timestamp() WHERE id = $1', [this.id]);
  }
}
