import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import pino from 'pino';
import { CONFIG, type Config } from '../config/config.module';

/** Fields that are never logged, wherever they come from. */
const redact = {
  paths: [
    'req.headers.authorization',
    'req.headers.cookie',
    'res.headers["set-cookie"]',
    '*.password',
    '*.token',
    '*.passwordHash',
    // The parameters of a failed statement, and what Postgres quotes of them. The arguments of a failed Redis command:
    // AUTH has the password.
    'err.command',
    ...['err', 'err.driverError'].flatMap((error) => [`${error}.parameters`, `${error}.detail`, `${error}.where`]),
  ],
  censor: '[redacted]',
};

/** A JSON line logger for the time before and outside of Nest. */
export function plainLogger(level: string, destination?: pino.DestinationStream): pino.Logger {
  return pino({ level, redact, base: { pid: process.pid } }, destination);
}

const SECRET_PATH = /^(\/+api\/+v1\/+inbound\/+(?!webhooks\/)[^/]*\D[^/]*\/+)[^/]+/i;

/** A path without its query, and without the secret of a webhook. */
export const pathToLog = (url: string): string => (url.split('?')[0] ?? '').replace(SECRET_PATH, '$1[redacted]');

type WithId = IncomingMessage & { id?: unknown };

/** The request's id: the caller's if it gave one. Set once, and returned in the answer. */
function requestId(request: WithId, response: ServerResponse): string {
  if (typeof request.id === 'string') return request.id;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
  request.id = id;
  response.setHeader('X-Request-Id', id);
  return id;
}

/** The first middleware, so that errors before routing have an id, too. */
export function identifyRequest(request: WithId, response: ServerResponse, next: () => void): void {
  requestId(request, response);
  next();
}

/** JSON lines: one sentence and fields. Every request has an id, which the answer to an error repeats. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        pinoHttp: {
          level: config.logLevel,
          redact,
          base: { pid: process.pid },
          genReqId: requestId,
          serializers: {
            // Queries may hold addresses that were searched for: the path says enough.
            req: (req: { id: string; method: string; url: string }) => ({
              id: req.id,
              method: req.method,
              path: pathToLog(req.url),
            }),
            res: (res: { statusCode: number }) => ({ status: res.statusCode }),
          },
          customLogLevel: (_req: IncomingMessage, res: ServerResponse, error?: Error) =>
            error || res.statusCode >= 500 ? 'error' : 'debug',
        },
      }),
    }),
  ],
})
export class LoggingModule {}
