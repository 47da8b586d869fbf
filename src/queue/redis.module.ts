import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { type RedisReason, redisTrouble } from '../domain/redis-trouble';
import { Repeated } from '../logging/repeated';
import { redisOptions } from './redis-options';
import { probeRedis } from './redis-probe';
import { redisProblem } from './redis-problem';

/** For how long an error of BullMQ's own connections counts as present trouble. */
const COMPLAINT_MS = 10_000;

/**
 * The connection for what is neither a queue's nor a worker's: cursors of the feeder, limits, cache. Commands fail at
 * once while Redis is away. It also collects the errors of all Redis connections of this process.
 */
@Injectable()
export class RedisConnection implements OnApplicationShutdown {
  readonly client: Redis;
  readonly prefix: string;
  private readonly probeKey = `probe:${randomUUID()}`;
  private readonly said: Repeated;
  private lost: Error | undefined;
  private trying: Promise<RedisReason | null> | undefined;
  private complaint: { reason: RedisReason; at: number } | undefined;

  constructor(@Inject(CONFIG) config: Config, logger: PinoLogger) {
    this.prefix = config.redisPrefix;
    this.said = new Repeated(logger);
    this.client = new Redis({
      ...redisOptions(config.redisUrl),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: 2_000,
      connectionName: 'gonets',
    });
    this.client.on('error', (error) => {
      this.lost = error;
      this.said.warn({ event: 'redis.lost', ...this.explained(error) }, 'Redis cannot be used');
    });
    this.client.on('ready', () => {
      if (this.lost) logger.info({ event: 'redis.back' }, 'Redis is back');
      this.lost = undefined;
    });
  }

  /** Whether Redis answers within this time. */
  async ready(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.client.status !== 'ready' && performance.now() < deadline) await sleep(20);
    return this.client.status === 'ready';
  }

  /** Why the connection was lost or never made, for operators; null if it stands, or nothing is known. */
  get lostBecause(): string | null {
    return this.lost ? this.explained(this.lost).reason : null;
  }

  /**
   * Why no letter can be sent with this Redis, or null: runs the commands that sending needs, since a PING alone proves
   * little. Concurrent callers share one try.
   */
  trouble(): Promise<RedisReason | null> {
    return (this.trying ??= this.findTrouble().finally(() => (this.trying = undefined)));
  }

  private async findTrouble(): Promise<RedisReason | null> {
    try {
      await probeRedis(this.client, this.key(this.probeKey));
    } catch (error) {
      if (this.client.status === 'connect') return 'redis_loading';
      return redisTrouble(this.client.status === 'ready' ? error : (this.lost ?? error)).reason;
    }
    const { complaint } = this;
    return complaint && performance.now() - complaint.at < COMPLAINT_MS ? complaint.reason : null;
  }

  /** An error that a queue's connection reported; one that is not about Redis (a job that is gone) is only logged. */
  complain(error: Error, queue: string): void {
    const { code, reason } = this.explained(error);
    if (code !== 'redis_failed') this.complaint = { reason: code, at: performance.now() };
    this.said.warn({ event: 'queue.error', queue, code, reason }, 'Queue reported an error');
  }

  private explained(error: Error): { code: RedisReason; reason: string } {
    return { code: redisTrouble(error).reason, reason: redisProblem(error, this.client.options.tls !== undefined) };
  }

  key(name: string): string {
    return `${this.prefix}:${name}`;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.quit().catch(() => this.client.disconnect());
  }
}

@Module({ providers: [RedisConnection], exports: [RedisConnection] })
export class RedisModule {}
