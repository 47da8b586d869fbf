import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { Attempt } from './attempt.entity';
import { AttemptsService } from './attempts.service';
import { Delivery } from './delivery.entity';
import { EventsService } from './events.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Delivery, Attempt])],
  providers: [AttemptsService, EventsService],
  exports: [AttemptsService, EventsService],
})
export class LedgerModule {}
