import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { redisOptions } from './redis-options';

/**
 * The connection for what is neither a queue's nor a worker's: cursors of the feeder, limits, cache. Commands fail at
 * once while Redis is away.
 */
@Injectable()
export class RedisConnection implements OnApplicationShutdown {
  readonly client: Redis;
  readonly prefix: string;

  constructor(@Inject(CONFIG) config: Config, logger: PinoLogger) {
    this.prefix = config.redisPrefix;
    this.client = new Redis({
      ...redisOptions(config.redisUrl),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: 2_000,
      connectionName: 'gonets',
    });
    let lost = false;
    this.client.on('error', (error) => {
      if (!lost) logger.warn({ event: 'redis.lost', reason: error.message }, 'Redis can not be reached');
      lost = true;
    });
    this.client.on('ready', () => {
      if (lost) logger.info({ event: 'redis.back' }, 'Redis is back');
      lost = false;
    });
  }

  /** Whether Redis answers within this time. */
  async ready(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.client.status !== 'ready' && performance.now() < deadline) await sleep(20);
    return this.client.status === 'ready';
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
