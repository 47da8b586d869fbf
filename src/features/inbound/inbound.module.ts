import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { ConsentModule } from '../consent/consent.module';
import { RunsModule } from '../runs/runs.module';
import { InboundJobs } from './inbound-jobs.service';
import { InboundJudge } from './inbound-judge.service';
import { InboundListener } from './inbound-listener.service';
import { InboundLetters } from './inbound-letters.service';
import { ProofLetters } from './proof-letters.service';

/** Letters that come in: bounces, complaints, automatic answers, wishes to unsubscribe. */
@Module({
  imports: [DatabaseModule, QueueModule, ConsentModule, RunsModule],
  providers: [InboundJobs, InboundJudge, InboundLetters, InboundListener, ProofLetters],
  exports: [InboundJudge, InboundLetters, InboundListener, ProofLetters],
})
export class InboundModule {}
