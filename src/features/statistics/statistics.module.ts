import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { RedisModule } from '../../queue/redis.module';
import { ReportsService } from './reports.service';
import { TimelineService } from './timeline.service';
import { StatisticsService } from './statistics.service';

@Module({
  imports: [DatabaseModule, RedisModule],
  providers: [StatisticsService, ReportsService, TimelineService],
  exports: [StatisticsService, ReportsService, TimelineService],
})
export class StatisticsModule {}
