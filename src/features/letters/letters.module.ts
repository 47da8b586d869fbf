import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { ServiceLetters } from './service-letters.service';

@Module({ imports: [DatabaseModule, QueueModule], providers: [ServiceLetters], exports: [ServiceLetters] })
export class LettersModule {}
