import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { AudiencesModule } from '../audiences/audiences.module';
import { ClientsModule } from '../clients/clients.module';
import { NewClients } from '../clients/new-clients';
import { Mailing } from './mailing.entity';
import { noteJoined } from './mailing-moves';
import { MailingsService } from './mailings.service';
import { MessageDeletion } from './message-deletion.service';
import { SegmentDeletion } from './segment-deletion.service';

@Module({
  imports: [DatabaseModule, ClientsModule, AudiencesModule, TypeOrmModule.forFeature([Mailing])],
  providers: [MailingsService, MessageDeletion, SegmentDeletion],
  exports: [MailingsService, MessageDeletion, SegmentDeletion],
})
export class MailingsModule {
  constructor(newClients: NewClients) {
    newClients.attend((tx, ownerId, firstId) => noteJoined(tx, { ownerId }, firstId));
  }
}
