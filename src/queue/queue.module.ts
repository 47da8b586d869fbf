import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { withBackend } from 'bullmq';
import { CONFIG, type Config } from '../config/config.module';
import { createBatchingBackend } from './batching-backend';
import { Limits } from './limits';
import { RedisModule } from './redis.module';
import { SCHEDULE_QUEUE, PLAN_QUEUE, DELIVERY_QUEUE, SERVICE_QUEUE } from './queues';
import { redisOptions } from './redis-options';

// What @nestjs/bullmq makes every queue and worker from.
const { Queue, Worker } = withBackend(createBatchingBackend);
BullModule.queueClass = Queue;
BullModule.workerClass = Worker;

/**
 * BullMQ over Redis. Nothing in Redis is the only copy: the sweeper fills the queues again from Postgres. Producers fail
 * at once while Redis is away, so that a start is still accepted; workers wait and reconnect.
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
    BullModule.registerQueue(
      { name: SCHEDULE_QUEUE },
      { name: PLAN_QUEUE },
      { name: DELIVERY_QUEUE },
      { name: SERVICE_QUEUE },
    ),
  ],
  providers: [Limits],
  exports: [BullModule, RedisModule, Limits],
})
export class QueueModule {}
