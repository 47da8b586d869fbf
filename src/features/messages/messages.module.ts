import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MjmlModule } from '../../mjml/mjml.module';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { NoticesModule } from '../notices/notices.module';
import { ClientsModule } from '../clients/clients.module';
import { ConsentModule } from '../consent/consent.module';
import { Uses } from '../clients/uses';
import { UsersModule } from '../users/users.module';
import { LetterMaker } from './letter-maker.service';
import { Message } from './message.entity';
import { messagesUsing } from './messages-using';
import { MessagesService } from './messages.service';
import { PreviewService } from './preview.service';
import { TestNoticesService } from './test-notices.service';

@Module({
  imports: [
    NoticesModule,
    QueueModule,
    DatabaseModule,
    MjmlModule,
    TypeOrmModule.forFeature([Message]),
    ClientsModule,
    ConsentModule,
    UsersModule,
  ],
  providers: [LetterMaker, MessagesService, PreviewService, TestNoticesService],
  exports: [MessagesService, PreviewService, TestNoticesService],
})
export class MessagesModule {
  constructor(uses: Uses) {
    uses.attend(messagesUsing);
  }
}
