import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { SuppressionBatches } from './batches.service';
import { LinkKeys } from './link-keys.service';
import { ReturnAddresses } from './return-addresses';
import { Outages } from './outages.service';
import { SendersService } from './senders.service';
import { SuppressionImports } from './suppression-imports.service';
import { SuppressionsService } from './suppressions.service';

const EXPORTED = [
  LinkKeys,
  ReturnAddresses,
  Outages,
  SendersService,
  SuppressionBatches,
  SuppressionImports,
  SuppressionsService,
];

/** Who must not get mail, the links by which people say so, and whose letters they are. */
@Module({ imports: [DatabaseModule], providers: EXPORTED, exports: EXPORTED })
export class ConsentModule {}
