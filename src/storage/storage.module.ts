import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module';
import { StoredObjects } from './stored-objects';

@Module({ imports: [DatabaseModule], providers: [StoredObjects], exports: [StoredObjects] })
export class StorageModule {}
