import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Config, ConfigModule } from '../../src/config/config.module';
import { LoggingModule } from '../../src/logging/logging.module';
import { WorkerModule } from '../../src/worker/worker.module';

@Module({})
class TestWorker {
  static with(config: Config): DynamicModule {
    return { module: TestWorker, imports: [ConfigModule.with(config), LoggingModule, WorkerModule.with(config)] };
  }
}

/** A worker in this process; one at a time, as its processors get their options by their classes. */
export function startWorker(config: Config): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(TestWorker.with(config), { logger: false, abortOnError: false });
}
