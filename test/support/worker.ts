import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Config, ConfigModule } from '../../src/config/config.module';
import { LoggingModule } from '../../src/logging/logging.module';
import { WorkerLife } from '../../src/worker/worker-life.service';
import { WorkerModule } from '../../src/worker/worker.module';

@Module({})
class TestWorker {
  static with(config: Config): DynamicModule {
    return { module: TestWorker, imports: [ConfigModule.with(config), LoggingModule, WorkerModule] };
  }
}

/** A worker in this process. */
export async function startWorker(config: Config): Promise<INestApplicationContext> {
  const worker = await makeWorker(config);
  await worker.get(WorkerLife).begin();
  return worker;
}

/** A worker that has not begun. */
export function makeWorker(config: Config): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(TestWorker.with(config), { logger: false, abortOnError: false });
}
