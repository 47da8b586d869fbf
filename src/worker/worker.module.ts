import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { DatabaseModule } from '../database/database.module';
import { ImportsModule } from '../features/clients/imports.module';
import { SendingModule } from '../features/sending/sending.module';
import { NoticesModule } from '../features/notices/notices.module';
import { NoticeSender } from '../features/notices/notice-sender';
import { DraftsModule } from '../features/drafts/drafts.module';
import { FilesModule } from '../features/messages/files.module';
import { ConsentModule } from '../features/consent/consent.module';
import { InboundModule } from '../features/inbound/inbound.module';
import { ProofSender } from '../features/inbound/proof-sender';
import { RunsModule } from '../features/runs/runs.module';
import { SignupsModule } from '../features/signups/signups.module';
import { StaleUsers } from '../features/users/stale-users';
import { SchedulingModule } from '../features/scheduling/scheduling.module';
import { StatisticsModule } from '../features/statistics/statistics.module';
import { QueueModule } from '../queue/queue.module';
import { StorageModule } from '../storage/storage.module';
import { ClockRepair } from './clock-repair';
import { Counting } from './counting';
import { Expiry } from './expiry';
import { RedisRepair } from './redis-repair';
import { DeliveryProcessor } from './delivery.processor';
import { PlanProcessor } from './plan.processor';
import { Processors } from './processors';
import { RepeatableJobs } from './repeatable-jobs';
import { Rounds } from './rounds';
import { RunFinisher } from './run-finisher';
import { ScheduleProcessor } from './schedule.processor';
import { ServiceProcessor } from './service.processor';
import { ServiceSweep } from './service-sweep';
import { Sweep } from './sweep';
import { UnusedFilesTurn } from './unused-files-turn';
import { Upkeep } from './upkeep';
import { Watchdog } from './watchdog';
import { WorkerLife } from './worker-life.service';

/** The worker: consumers of the queues, the timers, and what sends. */
@Module({
  imports: [
    DatabaseModule,
    ScheduleModule.forRoot(),
    QueueModule,
    SendingModule,
    ConsentModule,
    RunsModule,
    InboundModule,
    SchedulingModule,
    ImportsModule,
    NoticesModule,
    SignupsModule,
    DraftsModule,
    StatisticsModule,
    FilesModule,
    StorageModule,
  ],
  providers: [
    DeliveryProcessor,
    PlanProcessor,
    ScheduleProcessor,
    ServiceProcessor,
    NoticeSender,
    ProofSender,
    StaleUsers,
    ServiceSweep,
    UnusedFilesTurn,
    Expiry,
    Sweep,
    ClockRepair,
    RedisRepair,
    Counting,
    Rounds,
    RepeatableJobs,
    Upkeep,
    RunFinisher,
    Processors,
    Watchdog,
    WorkerLife,
  ],
})
export class WorkerModule {}
