import { Module } from '@nestjs/common';
import { APP_PIPE, RouterModule } from '@nestjs/core';
import { DatabaseModule } from '../database/database.module';
import { AudiencesModule } from '../features/audiences/audiences.module';
import { ClientsModule } from '../features/clients/clients.module';
import { AuditModule } from '../features/audit/audit.module';
import { NoticesModule } from '../features/notices/notices.module';
import { AccountsModule } from '../features/accounts/accounts.module';
import { LedgerModule } from '../features/ledger/ledger.module';
import { MailingsModule } from '../features/mailings/mailings.module';
import { FilesModule } from '../features/messages/files.module';
import { MessagesModule } from '../features/messages/messages.module';
import { PicturesModule } from '../features/messages/pictures.module';
import { ConsentModule } from '../features/consent/consent.module';
import { InboundModule } from '../features/inbound/inbound.module';
import { SignupsModule } from '../features/signups/signups.module';
import { PersonsModule } from '../features/persons/persons.module';
import { RunsModule } from '../features/runs/runs.module';
import { SchedulingModule } from '../features/scheduling/scheduling.module';
import { StatisticsModule } from '../features/statistics/statistics.module';
import { UsersModule } from '../features/users/users.module';
import { HttpModule } from '../http/http.module';
import { QueueModule } from '../queue/queue.module';
import { PersonsController } from './persons.controller';
import { ProfileController } from './profile.controller';
import { AttemptsController } from './attempts.controller';
import { AttachmentsController } from './attachments.controller';
import { AuditController } from './audit.controller';
import { AuthController } from './auth.controller';
import { BulkController, JobsController } from './bulk.controller';
import { ClientsController } from './clients.controller';
import { FieldsController } from './fields.controller';
import { TagsController } from './tags.controller';
import { DeliverabilityController } from './deliverability.controller';
import { DeliveriesController } from './deliveries.controller';
import { EventsController } from './events.controller';
import { ImportsModule } from '../features/clients/imports.module';
import { ImportsController } from './imports.controller';
import { FormsController } from './forms.controller';
import { PublicFormsController } from './public-forms.controller';
import { InboundController } from './inbound.controller';
import { InboundWebhooksController } from './inbound-webhooks.controller';
import { ProviderWebhooksController } from './provider-webhooks.controller';
import { HealthController } from './health.controller';
import { MailingsController } from './mailings.controller';
import { MediaController } from './media.controller';
import { MessagesController } from './messages.controller';
import { Metrics } from './metrics';
import { ReportsController } from './reports.controller';
import { RunsController } from './runs.controller';
import { SecondFactorController, SecondStepController, UserSecondFactorController } from './second-factor.controller';
import { SegmentsController } from './segments.controller';
import { SenderController } from './sender.controller';
import { SuppressionBatchesController } from './suppression-batches.controller';
import { SuppressionsController, SuppressionsFileController } from './suppressions.controller';
import { StatisticsController } from './statistics.controller';
import { UsersController } from './users.controller';
import { SmtpAccountController } from './smtp-account.controller';
import { validationPipe } from './validation';

@Module({
  imports: [
    RouterModule.register([{ path: 'api/v1', module: ApiModule }]),
    HttpModule,
    DatabaseModule,
    QueueModule,
    AuditModule,
    NoticesModule,
    UsersModule,
    ClientsModule,
    ImportsModule,
    AudiencesModule,
    MessagesModule,
    FilesModule,
    PicturesModule,
    MailingsModule,
    AccountsModule,
    LedgerModule,
    ConsentModule,
    RunsModule,
    InboundModule,
    PersonsModule,
    SignupsModule,
    SchedulingModule,
    StatisticsModule,
  ],
  controllers: [
    AuthController,
    SecondStepController,
    SecondFactorController,
    UserSecondFactorController,
    ProfileController,
    UsersController,
    AuditController,
    ImportsController,
    BulkController,
    JobsController,
    ClientsController,
    PersonsController,
    FieldsController,
    PublicFormsController,
    FormsController,
    TagsController,
    SegmentsController,
    AttachmentsController,
    MediaController,
    MessagesController,
    MailingsController,
    RunsController,
    DeliveriesController,
    AttemptsController,
    EventsController,
    InboundWebhooksController,
    InboundController,
    ProviderWebhooksController,
    SenderController,
    SuppressionBatchesController,
    SuppressionsController,
    SuppressionsFileController,
    StatisticsController,
    ReportsController,
    DeliverabilityController,
    SmtpAccountController,
    HealthController,
  ],
  providers: [Metrics, { provide: APP_PIPE, useValue: validationPipe }],
})
export class ApiModule {}
