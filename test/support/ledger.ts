import { Queue } from 'bullmq';
import type { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { types } from 'pg';
import { loadConfig } from '../../src/config/config';
import type { Config } from '../../src/config/config.module';
import { Database } from '../../src/database/database';
import { BulkJob } from '../../src/features/clients/bulk-job.entity';
import { FeederService } from '../../src/features/sending/feeder.service';
import { DeliverySweeper } from '../../src/features/sending/sweeper.service';
import { PlannerService } from '../../src/features/runs/planner.service';
import { RunsService } from '../../src/features/runs/runs.service';
import { FeedState } from '../../src/queue/feed-state';
import { DELIVERY_QUEUE, type DeliveryJob } from '../../src/queue/queues';
import { RedisConnection } from '../../src/queue/redis.module';
import { redisOptions } from '../../src/queue/redis-options';
import { createTestDatabase, type TestDatabase } from './database';
import { Factories } from './factories';
import { createTestRedis, type TestRedis } from './redis';

types.setTypeParser(types.builtins.INT8, Number);

const quiet = () => undefined;
export const silent = { info: quiet, warn: quiet, error: quiet, debug: quiet, fatal: quiet } as unknown as PinoLogger;

/** The ledger's parts on a database and a corner of Redis of their own, without processes. */
export class Ledger {
  readonly config: Config;
  readonly database: Database;
  readonly redis: RedisConnection;
  readonly queue: Queue<DeliveryJob>;
  readonly feed: FeedState;
  readonly feeder: FeederService;
  readonly sweeper: DeliverySweeper;
  readonly planner: PlannerService;
  readonly runs: RunsService;
  readonly make = new Factories((sql, params) => this.query(sql, params));

  private constructor(
    private readonly testDatabase: TestDatabase,
    private readonly testRedis: TestRedis,
    dataSource: DataSource,
    env: Record<string, string>,
  ) {
    this.config = loadConfig({ REDIS_URL: testRedis.url, REDIS_PREFIX: testRedis.prefix, ...env });
    this.database = new Database(dataSource);
    this.redis = new RedisConnection(this.config, silent);
    this.queue = new Queue(DELIVERY_QUEUE, { connection: redisOptions(testRedis.url), prefix: testRedis.prefix });
    this.feed = new FeedState(this.redis);
    this.feeder = new FeederService(this.database, this.feed, this.queue, this.config);
    this.sweeper = new DeliverySweeper(this.database, this.feed, this.redis, this.queue, this.config, silent);
    this.planner = new PlannerService(this.database, silent);
    this.runs = new RunsService(this.database);
  }

  static async start(env: Record<string, string> = {}): Promise<Ledger> {
    const testDatabase = await createTestDatabase();
    const dataSource = new DataSource({
      type: 'postgres',
      url: testDatabase.url,
      installExtensions: false,
      entities: [BulkJob],
      poolSize: 10,
    });
    await dataSource.initialize();
    const ledger = new Ledger(testDatabase, createTestRedis(), dataSource, env);
    await ledger.redis.ready(5_000);
    await ledger.make.user({ email: 'owner@example.com' });
    return ledger;
  }

  async stop(): Promise<void> {
    await this.queue.close();
    await this.redis.onApplicationShutdown();
    await this.database.dataSource.destroy();
    await this.testRedis.drop();
    await this.testDatabase.drop();
  }

  /** A started mailing to so many clients, and its run, not planned yet. */
  async run(clients: number, onUnknown: 'resend' | 'hold' = 'resend'): Promise<{ mailingId: number; runId: number }> {
    const recipients = (id: number) => Array.from({ length: clients }, (_, i) => `c${i + 1}-${id}@example.com`);
    const mailingId = await this.make.mailing({ ownerId: 1, recipients, status: 'started', onUnknown });
    return { mailingId, runId: await this.make.run(mailingId) };
  }

  async plannedRun(clients: number, onUnknown?: 'resend' | 'hold') {
    const run = await this.run(clients, onUnknown);
    await this.planner.plan(run.runId);
    return { ...run, ids: await this.ids(run.runId) };
  }

  async ids(runId: number): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>('SELECT id FROM deliveries WHERE run_id = $1 ORDER BY id', [
      runId,
    ]);
    return rows.map(({ id }) => id);
  }

  /** A worker's row; a dead one was marked as silent. */
  worker(dead = false): Promise<number> {
    return this.make.worker({ stopped: dead });
  }

  async delivery(id: number) {
    return this.database.first<Record<string, unknown>>(
      `SELECT status, reason, attempts, tries, lost_replies, claimed_by, next_attempt_at IS NOT NULL AS waits FROM deliveries WHERE id = $1`,
      [id],
    );
  }

  async attempts(id: number) {
    return this.database.rows<Record<string, unknown>>(
      'SELECT attempt_number, status, server_response FROM attempts WHERE delivery_id = $1 ORDER BY attempt_number',
      [id],
    );
  }

  query<T>(sql: string, params: unknown[] = []): Promise<T[]> {
    return this.database.rows<T>(sql, params);
  }
}
