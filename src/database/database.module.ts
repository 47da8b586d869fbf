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
        extra: { idleTimeoutMillis: 30_000, keepAlive: true },
      }),
    }),
  ],
  providers: [Database],
  exports: [Database],
})
export class DatabaseModule {}
