import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { RedisModule } from '../../queue/redis.module';
import { FirstStepsService } from './first-steps.service';
import { ReportsService } from './reports.service';
import { TimelineService } from './timeline.service';
import { StatisticsService } from './statistics.service';

@Module({
  imports: [DatabaseModule, RedisModule],
  providers: [FirstStepsService, StatisticsService, ReportsService, TimelineService],
  exports: [FirstStepsService, StatisticsService, ReportsService, TimelineService],
})
export class StatisticsModule {}
