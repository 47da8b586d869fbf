import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { LedgerModule } from '../ledger/ledger.module';
import { ClientField } from './client-field.entity';
import { Client } from './client.entity';
import { ClientHistory } from './client-history.service';
import { ClientsService } from './clients.service';
import { FieldsService } from './fields.service';
import { NewClients } from './new-clients';
import { Tag } from './tag.entity';
import { TagsService } from './tags.service';
import { Uses } from './uses';

@Module({
  imports: [DatabaseModule, LedgerModule, TypeOrmModule.forFeature([Client, ClientField, Tag])],
  providers: [ClientsService, FieldsService, TagsService, ClientHistory, NewClients, Uses],
  exports: [ClientsService, FieldsService, TagsService, ClientHistory, NewClients, Uses],
})
export class ClientsModule {}
