import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { ClientsModule } from '../clients/clients.module';
import { segmentsUsing } from '../clients/segment-context';
import { Uses } from '../clients/uses';
import { Segment } from './segment.entity';
import { SegmentCountService } from './segment-count.service';
import { SegmentsService } from './segments.service';

@Module({
  imports: [ClientsModule, DatabaseModule, TypeOrmModule.forFeature([Segment])],
  providers: [SegmentsService, SegmentCountService],
  exports: [SegmentsService, SegmentCountService],
})
export class AudiencesModule {
  constructor(uses: Uses) {
    uses.attend(segmentsUsing);
  }
}
