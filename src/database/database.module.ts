import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PinoLogger } from 'nestjs-pino';
import { type Pool, types } from 'pg';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../config/config.module';
import { Database, isUnavailable } from './database';
import { Sessions } from './sessions';

// Identity keys and counts stay far below 2^53.
types.setTypeParser(types.builtins.INT8, Number);

const RETRY_MS = 1_000;
/**
 * TCP keep-alive: so long after the last packet of a host it is probed; ten seconds later the connection is given up.
 */
const KEEP_ALIVE_MS = 10_000;

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG, PinoLogger],
      useFactory: (config: Config, logger: PinoLogger) => {
        const sessions = new Sessions(config.takeoverMs, () =>
          logger.info(
            { event: 'database.shared' },
            'Postgres is behind a pooler: statements are not prepared, and settings are made per transaction',
          ),
        );
        return {
          type: 'postgres',
          url: config.databaseUrl,
          autoLoadEntities: true,
          synchronize: false,
          installExtensions: false,
          // boot.ts has seen Postgres answer, but it may have gone away since.
          retryAttempts: Math.ceil(config.waitForServicesMs / RETRY_MS),
          retryDelay: RETRY_MS,
          toRetry: (error: Error) => {
            const again = isUnavailable(error);
            if (again) logger.warn({ event: 'boot.waiting', reason: error.message }, 'waiting for Postgres');
            return again;
          },
          poolSize: config.databaseConnections,
          connectTimeoutMS: 5_000,
          applicationName: 'gonets',
          extra: {
            idleTimeoutMillis: 30_000,
            keepAlive: true,
            keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
            // No statement waits for ever for an answer that was lost on the way. None takes nearly as long, not even a
            // chunk of an import on a slow machine. For statements outside of transactions see Database.
            query_timeout: 20 * config.takeoverMs,
            onConnect: sessions.onConnect,
            sessions,
          },
        };
      },
    }),
  ],
  providers: [Database],
  exports: [Database],
})
export class DatabaseModule {
  /**
   * If Postgres ends a session just when it begins, nobody listens to its errors yet, and an error event without a
   * listener would end the process. Whoever uses the connection learns of it from the next statement.
   */
  constructor(dataSource: DataSource) {
    const pool = (dataSource.driver as unknown as { master: Pool }).master;
    pool.on('connect', (client) => client.on('error', () => undefined));
  }
}
