import { Processor } from '@nestjs/bullmq';
import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { WorkerOptions } from 'bullmq';
import type { Config } from '../config/config.module';
import { DatabaseModule } from '../database/database.module';
import { ImportsModule } from '../features/clients/imports.module';
import { SendingModule } from '../features/sending/sending.module';
import { NoticesModule } from '../features/notices/notices.module';
import { NoticeSender } from '../features/notices/notice-sender';
import { RunsModule } from '../features/runs/runs.module';
import { StaleUsers } from '../features/users/stale-users';
import { SchedulingModule } from '../features/scheduling/scheduling.module';
import { QueueModule } from '../queue/queue.module';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE } from '../queue/queues';
import { redisOptions } from '../queue/redis-options';
import { ClockRepair } from './clock-repair';
import { DeliveryProcessor } from './delivery.processor';
import { PlanProcessor } from './plan.processor';
import { Processors } from './processors';
import { RepeatableJobs } from './repeatable-jobs';
import { Rounds } from './rounds';
import { RunFinisher } from './run-finisher';
import { ScheduleProcessor } from './schedule.processor';
import { ServiceProcessor } from './service.processor';
import { Sweep } from './sweep';
import { Upkeep } from './upkeep';
import { Watchdog } from './watchdog';
import { WorkerLife } from './worker-life.service';

/** How many finished jobs of each queue are kept for Bull Board. */
const KEPT = { count: 1000 };
const NONE = { count: 0 };

@Module({})
export class WorkerModule {
  /** Processors get their options here, after the configuration is read; they start to work when WorkerLife says so. */
  static with(config: Config): DynamicModule {
    const options: WorkerOptions = {
      connection: { ...redisOptions(config.redisUrl), maxRetriesPerRequest: null },
      autorun: false,
      // A job of a dead worker becomes waiting again when its lock expires. Running a job twice is harmless, so there
      // is no limit.
      lockDuration: config.takeoverMs,
      stalledInterval: config.takeoverMs,
      maxStalledCount: 1_000_000,
      drainDelay: 5,
      runRetryDelay: 2_000,
      // Set here and not in each job, because a job is written, read and parsed for every letter.
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    };
    Processor(DELIVERY_QUEUE, { ...options, concurrency: config.workerConcurrency, removeOnComplete: NONE })(
      DeliveryProcessor,
    );
    Processor(PLAN_QUEUE, { ...options, concurrency: 2 })(PlanProcessor);
    Processor(SCHEDULE_QUEUE, { ...options, concurrency: 2 })(ScheduleProcessor);
    Processor(SERVICE_QUEUE, { ...options, concurrency: 5 })(ServiceProcessor);
    return {
      module: WorkerModule,
      imports: [
        DatabaseModule,
        ScheduleModule.forRoot(),
        QueueModule,
        SendingModule,
        RunsModule,
        SchedulingModule,
        ImportsModule,
        NoticesModule,
      ],
      providers: [
        DeliveryProcessor,
        PlanProcessor,
        ScheduleProcessor,
        ServiceProcessor,
        NoticeSender,
        StaleUsers,
        Sweep,
        ClockRepair,
        Rounds,
        RepeatableJobs,
        Upkeep,
        RunFinisher,
        Processors,
        Watchdog,
        WorkerLife,
      ],
    };
  }
}
