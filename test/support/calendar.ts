import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module';
import { loadConfig } from '../../src/config/config';
import { Database } from '../../src/database/database';
import type { Viewer } from '../../src/domain/permissions';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { ClientsModule } from '../../src/features/clients/clients.module';
import { ClientsService } from '../../src/features/clients/clients.service';
import type { MailingInput } from '../../src/features/mailings/mailing-input';
import { MailingsService, type MailingView } from '../../src/features/mailings/mailings.service';
import { PlannerService } from '../../src/features/runs/planner.service';
import { RunsService } from '../../src/features/runs/runs.service';
import { LifecycleService } from '../../src/features/scheduling/lifecycle.service';
import { MailingEditService } from '../../src/features/scheduling/mailing-edit.service';
import { PreflightService } from '../../src/features/scheduling/preflight.service';
import { SendNowService } from '../../src/features/scheduling/send-now.service';
import { SchedulerService } from '../../src/features/scheduling/scheduler.service';
import { SchedulingModule } from '../../src/features/scheduling/scheduling.module';
import { LoggingModule } from '../../src/logging/logging.module';
import { advance, readClock, setClock } from './clock';
import { createTestDatabase } from './database';
import { Factories } from './factories';
import { createTestRedis } from './redis';

export interface RunRow {
  id: number;
  mailingId: number;
  occurrenceAt: string | null;
  trigger: string;
  status: string;
  reason: string | null;
}

/** The service path of the calendar in this process, on a database and a corner of Redis of its own, with a stopped clock. */
export class Calendar {
  readonly viewer: Viewer = { userId: 0, role: 'user' };
  private messageId = 0;
  private workerId = 0;
  private counter = 0;
  readonly make = new Factories((sql, params) => this.sql.rows(sql, params));

  private constructor(
    private readonly modules: TestingModule[],
    readonly databaseUrl: string,
    readonly redis: { url: string; prefix: string; drop: () => Promise<void> },
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  /** `schedulers`: how many processes' worth of services there are. */
  static async open(at: string, schedulers = 1, env: Record<string, string> = {}): Promise<Calendar> {
    const database = await createTestDatabase();
    const redis = createTestRedis();
    await setClock(database.url, at);
    const config = loadConfig({
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      REDIS_PREFIX: redis.prefix,
      LOG_LEVEL: 'silent',
      SENDER_ADDRESS: 'Test street 1, Testtown',
      PREFLIGHT: 'off',
      ...env,
    });
    const modules = await Promise.all(
      Array.from({ length: schedulers }, async () => {
        const module = await Test.createTestingModule({
          imports: [ConfigModule.with(config), LoggingModule, SchedulingModule, ClientsModule],
        }).compile();
        return module.init();
      }),
    );
    const calendar = new Calendar(modules, database.url, redis, () => database.drop());
    await calendar.prepare();
    return calendar;
  }

  async close(): Promise<void> {
    await Promise.all(this.modules.map((module) => module.close()));
    await this.redis.drop();
    await this.dropDatabase();
  }

  private async prepare(): Promise<void> {
    this.viewer.userId = await this.make.user({ email: 'owner@example.com' });
    this.messageId = await this.make.message(this.viewer.userId, { subject: 'Hello', body: '<p>Hello</p>' });
    this.workerId = await this.make.worker();
  }

  get = <T>(token: abstract new (...args: never[]) => T, scheduler = 0): T =>
    (this.modules[scheduler] as TestingModule).get(token as never, { strict: false });

  get sql(): Database {
    return this.get(Database);
  }
  get lifecycle(): LifecycleService {
    return this.get(LifecycleService);
  }
  get preflight(): PreflightService {
    return this.get(PreflightService);
  }

  get sending(): SendNowService {
    return this.get(SendNowService);
  }
  get mailings(): MailingsService {
    return this.get(MailingsService);
  }

  set(at: Date | string): Promise<void> {
    return setClock(this.databaseUrl, at);
  }
  advance(ms: number): Promise<void> {
    return advance(this.databaseUrl, ms);
  }
  now(): Promise<Date> {
    return readClock(this.databaseUrl);
  }

  async client(): Promise<number> {
    const email = `client${++this.counter}@example.com`;
    return (await this.get(ClientsService).create(this.viewer, { email, fullName: 'A Client' })).id;
  }

  async clients(n: number): Promise<number[]> {
    const ids: number[] = [];
    for (let i = 0; i < n; i++) ids.push(await this.client());
    return ids;
  }

  /** A daily mailing at 09:00 UTC to selected clients unless said otherwise. */
  async mailing(input: Partial<MailingInput> & { startAt: string }): Promise<MailingView> {
    return this.mailings.create(this.viewer, {
      messageId: this.messageId,
      audience: input.clientIds ? 'selected' : 'all',
      period: 'daily',
      timeZone: 'UTC',
      ...input,
    });
  }

  start = (id: number): Promise<MailingView> => this.lifecycle.start(this.viewer, id);
  send = (id: number): Promise<{ runId: number }> => this.sending.send(this.viewer, id);
  pause = (id: number): Promise<MailingView> => this.lifecycle.pause(this.viewer, id);
  resume = (id: number): Promise<MailingView> => this.lifecycle.resume(this.viewer, id);
  read = (id: number): Promise<MailingView> => this.mailings.get(this.viewer, id);
  update = (id: number, change: Partial<MailingInput>): Promise<MailingView> =>
    this.get(MailingEditService).update(this.viewer, id, change);
  tick = (scheduler = 0) => this.get(SchedulerService, scheduler).tick();

  /** Plans what is not planned, as workers do. */
  async plan(): Promise<void> {
    for (const id of await this.get(RunsService).unplanned()) await this.get(PlannerService).plan(id);
  }

  /** Plans, claims and records everything open as sent (the first `limit`), and finishes what is drained. */
  async deliver(limit = 100_000): Promise<void> {
    await this.plan();
    const open = await this.sql.rows<{ id: number; attempts: number }>(
      `SELECT id, attempts FROM deliveries WHERE status = 'pending' ORDER BY id LIMIT $1`,
      [limit],
    );
    const claims = await writeLedger(
      this.sql,
      this.workerId,
      open.map((d) => ({ claim: d.id })),
    );
    await writeLedger(
      this.sql,
      this.workerId,
      claims.flatMap((claim) =>
        claim
          ? [
              {
                record: {
                  deliveryId: claim.id,
                  attempt: {
                    number: claim.attempts + 1,
                    status: 'ok' as const,
                    replyCode: 250,
                    enhancedCode: null,
                    serverResponse: '250 ok',
                    durationMs: 1,
                  },
                  status: 'sent' as const,
                  reason: null,
                  triesUsed: 1 as const,
                  breaks: 0 as const,
                  lostReplies: 0 as const,
                  delayMs: null,
                },
              },
            ]
          : [],
      ),
    );
    await this.get(RunsService).finishIfDrained(null);
  }

  async tickAndDeliver(): Promise<void> {
    await this.tick();
    await this.deliver();
  }

  /** A mailing's runs, oldest occurrence first, extra runs last. */
  async runs(mailingId: number): Promise<RunRow[]> {
    const rows = await this.sql.rows<Omit<RunRow, 'occurrenceAt'> & { occurrenceAt: Date | null }>(
      'SELECT id, mailing_id, occurrence_at, trigger, status, reason FROM runs WHERE mailing_id = $1 ORDER BY occurrence_at, id',
      [mailingId],
    );
    return rows.map((row) => ({ ...row, occurrenceAt: row.occurrenceAt?.toISOString() ?? null }));
  }

  /** `2027-03-01T09:00 done`, `2027-03-02T09:00 missed down`, `extra sending`. */
  async story(mailingId: number): Promise<string[]> {
    return (await this.runs(mailingId)).map(({ occurrenceAt, status, reason }) =>
      [occurrenceAt?.slice(0, 16) ?? 'extra', status, reason].filter(Boolean).join(' '),
    );
  }

  /** How many letters each client got of this mailing in one occurrence's run, or in all runs. */
  async letters(mailingId: number, occurrenceAt?: string): Promise<Record<number, number>> {
    const rows = await this.sql.rows<{ clientId: number; n: number }>(
      `SELECT d.client_id, count(*) AS n FROM attempts a JOIN deliveries d ON d.id = a.delivery_id JOIN runs r ON r.id = d.run_id
        WHERE r.mailing_id = $1 AND ($2::timestamptz IS NULL OR r.occurrence_at = $2) GROUP BY 1 ORDER BY 1`,
      [mailingId, occurrenceAt ?? null],
    );
    return Object.fromEntries(rows.map(({ clientId, n }) => [clientId, n]));
  }
}
