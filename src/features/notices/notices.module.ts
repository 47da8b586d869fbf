import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { Notices } from './notices.service';

@Module({ imports: [DatabaseModule, QueueModule], providers: [Notices], exports: [Notices] })
export class NoticesModule {}
