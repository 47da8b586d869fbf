import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { StorageModule } from '../../storage/storage.module';
import { AttachmentsService } from './attachments.service';
import { UnusedFiles } from './unused-files.service';

/** What workers need of files, too. */
@Module({
  imports: [DatabaseModule, StorageModule],
  providers: [AttachmentsService, UnusedFiles],
  exports: [AttachmentsService, StorageModule, UnusedFiles],
})
export class FilesModule {}
