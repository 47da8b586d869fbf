import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { ClientsModule } from '../clients/clients.module';
import { NoticesModule } from '../notices/notices.module';
import { SignupForm } from './signup-form.entity';
import { SignupFormsService } from './signup-forms.service';
import { SignupGate } from './signup-gate.service';
import { SignupRecords } from './signup-records.service';
import { SignupsService } from './signups.service';

/** Forms by which people sign up, and what they agreed to. */
@Module({
  imports: [DatabaseModule, QueueModule, ClientsModule, NoticesModule, TypeOrmModule.forFeature([SignupForm])],
  providers: [SignupFormsService, SignupGate, SignupsService, SignupRecords],
  exports: [SignupFormsService, SignupGate, SignupsService, SignupRecords],
})
export class SignupsModule {}
