import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { QueueModule } from '../../queue/queue.module';
import { RateLimiter } from '../../queue/rate-limiter';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { SmtpPool } from '../../smtp/smtp-pool';
import { parseSmtpUrl } from '../../smtp/smtp-url';
import { DeliveriesModule } from './deliveries.module';
import { LetterComposer } from './letter-composer';
import { SenderService } from './sender.service';
import { DeliverySweeper } from './sweeper.service';
import { TransportGate } from './transport-gate.service';
import { WorkerRegistry } from './worker-registry.service';

/** What only a worker has: claims, connections, a heartbeat. */
@Module({
  imports: [DatabaseModule, QueueModule, DeliveriesModule],
  providers: [
    WorkerRegistry,
    {
      provide: SmtpPool,
      inject: [CONFIG, WorkerRegistry, PinoLogger],
      useFactory: (config: Config, registry: WorkerRegistry, logger: PinoLogger) =>
        new SmtpPool({
          settings: parseSmtpUrl(config.smtpUrl),
          connections: config.smtpConnections,
          beforeDot: () => registry.alive,
          logger,
        }),
    },
    TransportGate,
    LetterComposer,
    RateLimiter,
    SenderService,
    DeliverySweeper,
  ],
  exports: [WorkerRegistry, TransportGate, SenderService, DeliverySweeper, DeliveriesModule, SmtpPool],
})
export class SendingModule {}
