import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Inject, Module } from '@nestjs/common';
import type { Queue as BullQueue } from 'bullmq';
import { CONFIG, type Config } from '../config/config.module';
import { BatchingQueue } from './batching';
import { FeedState } from './feed-state';
import { Limits } from './limits';
import { RedisConnection, RedisModule } from './redis.module';
import { SCHEDULE_QUEUE, PLAN_QUEUE, DELIVERY_QUEUE, SERVICE_QUEUE } from './queues';
import { redisOptions } from './redis-options';

const NAMES = [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE];
/** All queues, in the order of the status page. */
export const QUEUES = Symbol('queues');

// @nestjs/bullmq has no other way to use a queue with another backend; workers are made in worker/processors.ts.
BullModule.queueClass = BatchingQueue;

/**
 * BullMQ over Redis. Nothing in Redis is the only copy: the sweeper fills the queues again from Postgres. Producers
 * fail at once while Redis is away, so that a start is still accepted; workers wait and reconnect.
 */
@Module({
  imports: [
    RedisModule,
    BullModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        connection: { ...redisOptions(config.redisUrl), enableOfflineQueue: false },
        prefix: config.redisPrefix,
      }),
    }),
    BullModule.registerQueue(...NAMES.map((name) => ({ name }))),
  ],
  providers: [
    FeedState,
    Limits,
    {
      provide: QUEUES,
      inject: NAMES.map((name) => getQueueToken(name)),
      useFactory: (...queues: BullQueue[]) => queues,
    },
  ],
  exports: [BullModule, RedisModule, FeedState, Limits, QUEUES],
})
export class QueueModule {
  constructor(redis: RedisConnection, @Inject(QUEUES) queues: BullQueue[]) {
    for (const queue of queues) queue.on('error', (error: Error) => redis.complain(error, queue.name));
  }
}
