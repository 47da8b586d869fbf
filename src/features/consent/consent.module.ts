import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { LinkKeys } from './link-keys.service';
import { SendersService } from './senders.service';
import { SuppressionsService } from './suppressions.service';

const EXPORTED = [LinkKeys, SendersService, SuppressionsService];

/** Who must not get mail, the links by which people say so, and whose letters they are. */
@Module({ imports: [DatabaseModule], providers: EXPORTED, exports: EXPORTED })
export class ConsentModule {}
