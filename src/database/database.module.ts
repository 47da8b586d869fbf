import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { types } from 'pg';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from './database';

// Identity keys and counts stay far below 2^53.
types.setTypeParser(types.builtins.INT8, Number);

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        type: 'postgres',
        url: config.databaseUrl,
        autoLoadEntities: true,
        synchronize: false,
        installExtensions: false,
        retryAttempts: 0,
        poolSize: config.databaseConnections,
        connectTimeoutMS: 5_000,
        applicationName: 'gonets',
        extra: {
          idleTimeoutMillis: 30_000,
          keepAlive: true,
          // A process that is frozen inside a transaction must not hold its locks: Postgres ends the session.
          idle_in_transaction_session_timeout: config.takeoverMs,
        },
      }),
    }),
  ],
  providers: [Database],
  exports: [Database],
})
export class DatabaseModule {}
