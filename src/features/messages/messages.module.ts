import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { ClientsModule } from '../clients/clients.module';
import { Message } from './message.entity';
import { MessagesService } from './messages.service';
import { PreviewService } from './preview.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Message]), ClientsModule],
  providers: [MessagesService, PreviewService],
  exports: [MessagesService, PreviewService],
})
export class MessagesModule {}
