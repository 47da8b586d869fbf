import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { FormDrafts } from './form-drafts.service';

@Module({ imports: [DatabaseModule], providers: [FormDrafts], exports: [FormDrafts] })
export class DraftsModule {}
