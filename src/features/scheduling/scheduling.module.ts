import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { DeliveriesModule } from '../deliveries/deliveries.module';
import { MailingsModule } from '../mailings/mailings.module';
import { RunsModule } from '../runs/runs.module';
import { LifecycleService } from './lifecycle.service';
import { SchedulerService } from './scheduler.service';

@Module({
  imports: [DatabaseModule, QueueModule, MailingsModule, DeliveriesModule, RunsModule],
  providers: [LifecycleService, SchedulerService],
  exports: [LifecycleService, SchedulerService],
})
export class SchedulingModule {}
