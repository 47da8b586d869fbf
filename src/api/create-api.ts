import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import helmet from 'helmet';
import { Logger } from 'nestjs-pino';
import { type Config, ConfigModule } from '../config/config.module';
import { version } from '../config/version';
import { LoggingModule } from '../logging/logging.module';
import { ApiModule } from './api.module';
import { mountBullBoard } from './bull-board';

@Module({})
class ApiApp {
  static with(config: Config): DynamicModule {
    return { module: ApiApp, imports: [ConfigModule.with(config), LoggingModule, ApiModule] };
  }
}

const BODY_LIMIT = '2mb';

/** The API process, ready to listen. */
export async function createApi(config: Config): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiApp.with(config), {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useLogger(app.get(Logger));
  app.enableShutdownHooks([], { useProcessExit: true });
  app.disable('x-powered-by');
  app.set(
    'trust proxy',
    config.trustProxy.split(',').map((part) => part.trim()),
  );
  app.use(helmet());
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.setGlobalPrefix('api/v1');
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder().setTitle('Gonets').setVersion(version).addBearerAuth().build(),
  );
  SwaggerModule.setup('api/docs', app, document, { jsonDocumentUrl: 'api/docs-json' });
  mountBullBoard(app);
  return app;
}
