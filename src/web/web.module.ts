import { constants } from 'node:zlib';
import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import compression from 'compression';
import { DatabaseModule } from '../database/database.module';
import { QueueModule } from '../queue/queue.module';
import { AudiencesModule } from '../features/audiences/audiences.module';
import { ClientsModule } from '../features/clients/clients.module';
import { ImportsModule } from '../features/clients/imports.module';
import { AccountsModule } from '../features/accounts/accounts.module';
import { LedgerModule } from '../features/ledger/ledger.module';
import { MailingsModule } from '../features/mailings/mailings.module';
import { HttpModule } from '../http/http.module';
import { FilesModule } from '../features/messages/files.module';
import { MessagesModule } from '../features/messages/messages.module';
import { PicturesModule } from '../features/messages/pictures.module';
import { ConsentModule } from '../features/consent/consent.module';
import { SignupsModule } from '../features/signups/signups.module';
import { PersonsModule } from '../features/persons/persons.module';
import { InboundModule } from '../features/inbound/inbound.module';
import { RunsModule } from '../features/runs/runs.module';
import { SchedulingModule } from '../features/scheduling/scheduling.module';
import { StatisticsModule } from '../features/statistics/statistics.module';
import { UsersModule } from '../features/users/users.module';
import { OidcModule } from '../oidc/oidc.module';
import { serveAssets } from './assets';
import { OnceService } from './once.service';
import { PreviewFrames } from './preview-frames.service';
import { AuditModule } from '../features/audit/audit.module';
import { NoticesModule } from '../features/notices/notices.module';
import { ProfileWebController } from './pages/profile.web.controller';
import { AuditWebController } from './pages/audit.web.controller';
import { LogoWebController } from './pages/logo.web.controller';
import { SenderWebController } from './pages/sender.web.controller';
import { SuppressionBatchesWebController } from './pages/suppression-batches.web.controller';
import { InboundWebController } from './pages/inbound.web.controller';
import { InboundWebhooksWebController } from './pages/inbound-webhooks.web.controller';
import { SuppressionsWebController } from './pages/suppressions.web.controller';
import { StatusWebController } from './pages/status.web.controller';
import { UsersWebController } from './pages/users.web.controller';
import { AttemptsWebController } from './pages/attempts.web.controller';
import { AuthWebController } from './pages/auth.web.controller';
import { InvitationWebController } from './pages/invitation.web.controller';
import { BulkWebController } from './pages/bulk.web.controller';
import { ClientsWebController } from './pages/clients.web.controller';
import { PersonsWebController } from './pages/persons.web.controller';
import { FormsWebController } from './pages/forms.web.controller';
import { SignupWebController } from './pages/signup.web.controller';
import { FieldsWebController } from './pages/fields.web.controller';
import { TagsWebController } from './pages/tags.web.controller';
import { HomeWebController } from './pages/home.web.controller';
import { ImportsWebController } from './pages/imports.web.controller';
import { MailingWebController } from './pages/mailing.web.controller';
import { MailingsWebController } from './pages/mailings.web.controller';
import { MailingFormWebController } from './pages/mailing-form.web.controller';
import { MessageParts } from './pages/message-parts.service';
import { AttachmentsWebController } from './pages/attachments.web.controller';
import { MediaWebController } from './pages/media.web.controller';
import { PicturesWebController } from './pages/pictures.web.controller';
import { MessagesWebController } from './pages/messages.web.controller';
import { NewMessageWebController } from './pages/new-message.web.controller';
import { NotFoundApiController, NotFoundWebController } from './pages/not-found.web.controller';
import { ProviderWebController } from './pages/provider.web.controller';
import { DeliverabilityWebController } from './pages/deliverability.web.controller';
import { ProofWebController } from './pages/proof.web.controller';
import { ReportsWebController } from './pages/reports.web.controller';
import { SegmentsWebController } from './pages/segments.web.controller';
import { RunParts } from './pages/run-parts.service';
import { StatusParts } from './pages/status-parts.service';
import { SegmentParts } from './pages/segment-parts.service';
import { LettersWebController } from './pages/letters.web.controller';
import { RunsWebController } from './pages/runs.web.controller';
import { SecondFactorWebController } from './pages/second-factor.web.controller';
import { ClientParts } from './pages/client-parts.service';
import { MailingFormParts } from './pages/mailing-form-parts.service';
import { MailingParts } from './pages/mailing-parts.service';
import { ProfileParts } from './pages/profile-parts.service';
import { UnsubscribeWebController } from './pages/unsubscribe.web.controller';
import { DraftsWebController } from './pages/drafts.web.controller';
import { DraftsModule } from '../features/drafts/drafts.module';
import { KeptForms } from './kept-forms.service';
import { ReadersService } from './readers.service';

/** A tenth less than quality 4, the library's default, for the same time. */
const COMPRESSION = { brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } } };

/**
 * The pages, served by the API's process. Controllers with fixed paths come before those with ids in the same position.
 */
@Module({
  imports: [
    QueueModule,
    UsersModule,
    DraftsModule,
    OidcModule,
    AuditModule,
    NoticesModule,
    DatabaseModule,
    ClientsModule,
    ImportsModule,
    AudiencesModule,
    HttpModule,
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
    HomeWebController,
    AuthWebController,
    InvitationWebController,
    ImportsWebController,
    FieldsWebController,
    TagsWebController,
    BulkWebController,
    ClientsWebController,
    PersonsWebController,
    SegmentsWebController,
    FormsWebController,
    SignupWebController,
    NewMessageWebController,
    AttachmentsWebController,
    PicturesWebController,
    MediaWebController,
    MessagesWebController,
    MailingsWebController,
    MailingFormWebController,
    MailingWebController,
    RunsWebController,
    LettersWebController,
    AttemptsWebController,
    ReportsWebController,
    DeliverabilityWebController,
    ProofWebController,
    UsersWebController,
    ProfileWebController,
    SecondFactorWebController,
    ProviderWebController,
    AuditWebController,
    StatusWebController,
    LogoWebController,
    SenderWebController,
    DraftsWebController,
    SuppressionBatchesWebController,
    InboundWebhooksWebController,
    InboundWebController,
    SuppressionsWebController,
    UnsubscribeWebController,
    NotFoundApiController,
    NotFoundWebController,
  ],
  providers: [
    ReadersService,
    PreviewFrames,
    KeptForms,
    OnceService,
    MailingParts,
    MessageParts,
    MailingFormParts,
    ProfileParts,
    RunParts,
    SegmentParts,
    StatusParts,
    ClientParts,
  ],
})
export class WebModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(serveAssets, compression(COMPRESSION)).forRoutes('{*path}');
  }
}
