import { stopAsked } from './config/stop-signal';
import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { type Config, ConfigModule } from './config/config.module';
import { boot } from './boot';
import { LoggingModule } from './logging/logging.module';
import { WorkerLife } from './worker/worker-life.service';
import { WorkerModule } from './worker/worker.module';

@Module({})
class WorkerApp {
  static with(config: Config): DynamicModule {
    return { module: WorkerApp, imports: [ConfigModule.with(config), LoggingModule, WorkerModule] };
  }
}

void boot('worker', stopAsked, async (config) => {
  const app = await NestFactory.createApplicationContext(WorkerApp.with(config), {
    logger: false,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  return { begin: () => app.get(WorkerLife).begin(), close: () => app.close() };
});
