import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Logger } from 'nestjs-pino';
import { type Config, ConfigModule } from '../config/config.module';
import { version } from '../config/version';
import { securityHeaders } from '../http/security-headers';
import { LoggingModule } from '../logging/logging.module';
import { ApiModule } from './api.module';
import { mountBullBoard } from './bull-board';

@Module({})
class ApiApp {
  static with(config: Config, more: Type[]): DynamicModule {
    return { module: ApiApp, imports: [ConfigModule.with(config), LoggingModule, ApiModule, ...more] };
  }
}

const BODY_LIMIT = '2mb';

/** The API process, ready to listen; `more` are modules beside the API, such as the pages. */
export async function createApi(config: Config, more: Type[] = []): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiApp.with(config, more), {
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
  app.use(securityHeaders(config));
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.useBodyParser('urlencoded', { limit: BODY_LIMIT, extended: false });
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder().setTitle('Gonets').setVersion(version).addBearerAuth().build(),
    { include: [ApiModule] },
  );
  SwaggerModule.setup('api/docs', app, document, { jsonDocumentUrl: 'api/docs-json' });
  mountBullBoard(app, config);
  return app;
}
