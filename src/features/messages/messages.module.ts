import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { LettersModule } from '../letters/letters.module';
import { ClientsModule } from '../clients/clients.module';
import { Message } from './message.entity';
import { MessagesService } from './messages.service';
import { PreviewService } from './preview.service';
import { TestLettersService } from './test-letters.service';

@Module({
  imports: [LettersModule, QueueModule, DatabaseModule, TypeOrmModule.forFeature([Message]), ClientsModule],
  providers: [MessagesService, PreviewService, TestLettersService],
  exports: [MessagesService, PreviewService, TestLettersService],
})
export class MessagesModule {}
