import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Config } from '../../config/config.module';
import { version } from '../../config/version';
import { cookieName } from '../../http/session-cookie';
import { ApiModule } from '../api.module';
import { namedSchemas } from './shape';

const ABOUT = `Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Fields and query
parameters that are not named here are refused. Lists come by pages: give \`nextCursor\` as \`cursor\` until it is null.`;

/** The OpenAPI document: all routes of the API, as their controllers declare them. */
export function openApiDocument(app: INestApplication, config: Pick<Config, 'secureCookies'>): OpenAPIObject {
  const about = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Gonets')
    .setDescription(ABOUT)
    .setVersion(version)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API token.' }, 'bearer')
    .addCookieAuth(
      cookieName(config, 'gonets'),
      { type: 'apiKey', description: 'The session of a sign-in.' },
      'session',
    )
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-CSRF-Token',
        description: 'The `csrfToken` of the session, with each write.',
      },
      'csrf',
    )
    .build();
  const document = SwaggerModule.createDocument(app, about, { include: [ApiModule] });
  return { ...document, components: { ...document.components, schemas: namedSchemas() } };
}
