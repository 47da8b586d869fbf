import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { Client } from './client.entity';
import { ClientsService } from './clients.service';
import { NewClients } from './new-clients';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Client])],
  providers: [ClientsService, NewClients],
  exports: [ClientsService, NewClients],
})
export class ClientsModule {}
