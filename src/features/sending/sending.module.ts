import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { RateLimiter } from '../../queue/rate-limiter';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { SmtpPool } from '../../smtp/smtp-pool';
import { StorageModule } from '../../storage/storage.module';
import { ACCOUNT, type Account, accountOf } from '../accounts/account';
import { AccountGate } from '../accounts/account-gate.service';
import { AccountsModule } from '../accounts/accounts.module';
import { ConsentModule } from '../consent/consent.module';
import { WorkerRegistry } from '../ledger/worker-registry.service';
import { FeederService } from './feeder.service';
import { LedgerWriter } from './ledger-writer.service';
import { LetterComposer } from './letter-composer';
import { SenderService } from './sender.service';
import { SendingEngine } from './sending-engine.service';
import { DeliverySweeper } from './sweeper.service';

/** The parts of a worker that API processes do not have: claims, connections, heartbeat. */
@Module({
  imports: [DatabaseModule, QueueModule, AccountsModule, ConsentModule, StorageModule],
  providers: [
    WorkerRegistry,
    { provide: ACCOUNT, inject: [CONFIG], useFactory: accountOf },
    {
      provide: SmtpPool,
      inject: [ACCOUNT, CONFIG, WorkerRegistry, PinoLogger],
      useFactory: (account: Account, config: Config, registry: WorkerRegistry, logger: PinoLogger) =>
        new SmtpPool({
          settings: account.smtp,
          connections: config.smtpConnections,
          beforeDot: () => registry.alive,
          logger,
        }),
    },
    AccountGate,
    LetterComposer,
    LedgerWriter,
    RateLimiter,
    SenderService,
    DeliverySweeper,
    FeederService,
    SendingEngine,
  ],
  exports: [WorkerRegistry, AccountGate, SenderService, DeliverySweeper, FeederService, SendingEngine, SmtpPool],
})
export class SendingModule {}
