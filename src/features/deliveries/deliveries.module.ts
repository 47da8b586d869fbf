import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { Attempt } from './attempt.entity';
import { AttemptsService } from './attempts.service';
import { DeliveriesExport } from './deliveries-export.service';
import { DeliveriesService } from './deliveries.service';
import { Delivery } from './delivery.entity';
import { FeederService } from './feeder.service';
import { TransportService } from './transport.service';

/** The ledger as every process sees it. */
@Module({
  imports: [DatabaseModule, QueueModule, TypeOrmModule.forFeature([Delivery, Attempt])],
  providers: [DeliveriesService, DeliveriesExport, AttemptsService, FeederService, TransportService],
  exports: [DeliveriesService, DeliveriesExport, AttemptsService, FeederService, TransportService],
})
export class DeliveriesModule {}
