import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { Attempt } from './attempt.entity';
import { AttemptsService } from './attempts.service';
import { Delivery } from './delivery.entity';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Delivery, Attempt])],
  providers: [AttemptsService],
  exports: [AttemptsService],
})
export class LedgerModule {}
