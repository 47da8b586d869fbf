import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { AccountsService } from './accounts.service';

/** The state of the SMTP accounts, as every process sees it. */
@Module({ imports: [DatabaseModule], providers: [AccountsService], exports: [AccountsService] })
export class AccountsModule {}
