import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { RedisModule } from '../../queue/redis.module';
import { DeliverabilityService } from './deliverability.service';
import { FirstStepsService } from './first-steps.service';
import { ProviderCounts } from './provider-counts.service';
import { ProviderLookup } from './provider-lookup.service';
import { ReportsService } from './reports.service';
import { ReturnNumbers } from './return-numbers.service';
import { TimelineService } from './timeline.service';
import { StatisticsService } from './statistics.service';

const services = [
  DeliverabilityService,
  FirstStepsService,
  ProviderCounts,
  ProviderLookup,
  ReportsService,
  ReturnNumbers,
  StatisticsService,
  TimelineService,
];

@Module({
  imports: [DatabaseModule, RedisModule],
  providers: services,
  exports: services,
})
export class StatisticsModule {}
