import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { StatisticsService } from './statistics.service';

@Module({ imports: [DatabaseModule], providers: [StatisticsService], exports: [StatisticsService] })
export class StatisticsModule {}
