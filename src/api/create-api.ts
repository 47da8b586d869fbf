import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import { Logger } from 'nestjs-pino';
import { type Config, ConfigModule } from '../config/config.module';
import { shareByRequest } from '../database/shares';
import { securityHeaders } from '../http/security-headers';
import { identifyRequest, LoggingModule } from '../logging/logging.module';
import { ApiModule } from './api.module';
import { mountBullBoard } from './bull-board';
import { openApiDocument } from './openapi/document';

@Module({})
class ApiApp {
  static with(config: Config, more: Type[]): DynamicModule {
    return { module: ApiApp, imports: [ConfigModule.with(config), LoggingModule, ApiModule, ...more] };
  }
}

/** The API process, ready to listen; `more` are modules beside the API, such as the pages. */
export async function createApi(config: Config, more: Type[] = []): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiApp.with(config, more), {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useLogger(app.get(Logger));
  app.disable('x-powered-by');
  app.set(
    'trust proxy',
    config.trustProxy.split(',').map((part) => part.trim()),
  );
  app.use(identifyRequest);
  app.use(shareByRequest);
  app.use(securityHeaders(config));
  app.set('query parser', 'simple');
  SwaggerModule.setup('api/docs', app, openApiDocument(app, config), { jsonDocumentUrl: 'api/docs-json' });
  mountBullBoard(app, config);
  return app;
}
