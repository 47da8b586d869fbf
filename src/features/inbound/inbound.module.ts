import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { ConsentModule } from '../consent/consent.module';
import { RunsModule } from '../runs/runs.module';
import { InboundJobs } from './inbound-jobs.service';
import { InboundJudge } from './inbound-judge.service';
import { InboundListener } from './inbound-listener.service';
import { InboundLetters } from './inbound-letters.service';
import { MailboxReader } from './mailbox-reader.service';
import { MailboxState } from './mailbox-state.service';
import { ProviderWebhooks } from './provider-webhooks.service';
import { WebhookSecrets } from './webhook-secrets.service';
import { SnsClient } from '../../sns/sns-client';
import { ProofLetters } from './proof-letters.service';

/** Letters that come in: bounces, complaints, automatic answers, wishes to unsubscribe. */
@Module({
  imports: [DatabaseModule, QueueModule, ConsentModule, RunsModule],
  providers: [
    InboundJobs,
    InboundJudge,
    InboundLetters,
    InboundListener,
    MailboxReader,
    MailboxState,
    ProviderWebhooks,
    SnsClient,
    WebhookSecrets,
    ProofLetters,
  ],
  exports: [
    InboundJudge,
    InboundLetters,
    InboundListener,
    MailboxReader,
    MailboxState,
    ProviderWebhooks,
    WebhookSecrets,
    ProofLetters,
  ],
})
export class InboundModule {}
