import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module';
import { Mailing } from './mailing.entity';
import { MailingsService } from './mailings.service';

@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Mailing])],
  providers: [MailingsService],
  exports: [MailingsService],
})
export class MailingsModule {}
