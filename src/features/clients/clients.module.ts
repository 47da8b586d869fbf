import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { LedgerModule } from '../ledger/ledger.module';
import { Client } from './client.entity';
import { ClientHistory } from './client-history.service';
import { ClientsService } from './clients.service';
import { NewClients } from './new-clients';

@Module({
  imports: [DatabaseModule, LedgerModule, TypeOrmModule.forFeature([Client])],
  providers: [ClientsService, ClientHistory, NewClients],
  exports: [ClientsService, ClientHistory, NewClients],
})
export class ClientsModule {}
