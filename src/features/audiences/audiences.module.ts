import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { Segment } from './segment.entity';
import { SegmentCountService } from './segment-count.service';
import { SegmentsService } from './segments.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Segment])],
  providers: [SegmentsService, SegmentCountService],
  exports: [SegmentsService, SegmentCountService],
})
export class AudiencesModule {}
