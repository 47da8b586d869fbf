import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { LedgerModule } from '../ledger/ledger.module';
import { AttemptSearchService } from './attempt-search.service';
import { ClientLetters } from './client-letters.service';
import { DeliveriesExport } from './deliveries-export.service';
import { DeliveriesService } from './deliveries.service';
import { OutcomesService } from './outcomes.service';
import { PlannerService } from './planner.service';
import { ReconcileService } from './reconcile.service';
import { Run } from './run.entity';
import { RunsService } from './runs.service';
import { SentLetterService } from './sent-letter.service';
import { UnsubscribeService } from './unsubscribe.service';
import { ConsentModule } from '../consent/consent.module';

const EXPORTED = [
  RunsService,
  OutcomesService,
  SentLetterService,
  PlannerService,
  DeliveriesService,
  ClientLetters,
  AttemptSearchService,
  DeliveriesExport,
  ReconcileService,
  UnsubscribeService,
];

@Module({
  imports: [DatabaseModule, QueueModule, ConsentModule, LedgerModule, TypeOrmModule.forFeature([Run])],
  providers: EXPORTED,
  exports: EXPORTED,
})
export class RunsModule {}
