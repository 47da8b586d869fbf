import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { InboundModule } from '../inbound/inbound.module';
import { MailingsModule } from '../mailings/mailings.module';
import { RunsModule } from '../runs/runs.module';
import { UsersModule } from '../users/users.module';
import { BlockingService } from './blocking.service';
import { LifecycleService } from './lifecycle.service';
import { MailingEditService } from './mailing-edit.service';
import { ConsentModule } from '../consent/consent.module';
import { LetterCheck } from './letter-check.service';
import { PlanJobs } from './plan-jobs.service';
import { PreflightService } from './preflight.service';
import { RestoreService } from './restore.service';
import { ReturnWatch } from './return-watch.service';
import { SchedulerService } from './scheduler.service';
import { SenderCheck } from './sender-check.service';
import { SendNowService } from './send-now.service';

const EXPORTED = [
  RestoreService,
  LifecycleService,
  SendNowService,
  MailingEditService,
  SchedulerService,
  BlockingService,
  PlanJobs,
  PreflightService,
  ReturnWatch,
];

@Module({
  imports: [DatabaseModule, QueueModule, MailingsModule, RunsModule, UsersModule, ConsentModule, InboundModule],
  providers: [...EXPORTED, SenderCheck, LetterCheck],
  exports: EXPORTED,
})
export class SchedulingModule {}
