import { Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { SmtpPool } from './smtp-pool';
import { parseSmtpUrl } from './smtp-url';

/** The one SMTP account. Connections are opened when the first letter needs one. */
@Module({
  providers: [
    {
      provide: SmtpPool,
      inject: [CONFIG, PinoLogger],
      useFactory: (config: Config, logger: PinoLogger) =>
        new SmtpPool({ settings: parseSmtpUrl(config.smtpUrl), connections: config.smtpConnections, logger }),
    },
  ],
  exports: [SmtpPool],
})
export class SmtpModule {}
