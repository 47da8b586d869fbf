import type { INestApplication } from '@nestjs/common';
import { getQueueToken } from '@nestjs/bullmq';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { NextFunction, Request, Response } from 'express';
import type { Config } from '../config/config.module';
import { reach } from '../domain/permissions';
import { SessionsService } from '../features/users/sessions.service';
import { TokensService } from '../features/users/tokens.service';
import { sessionTokenOf } from '../http/session-cookie';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE } from '../queue/queues';

/**
 * Bull Board at /queues: read-only, for managers and admins, by the session's cookie or by basic authentication with an
 * API token as the password and any name.
 */
export function mountBullBoard(app: INestApplication, config: Config): void {
  const adapter = new ExpressAdapter();
  adapter.setBasePath('/queues');
  createBullBoard({
    queues: [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE].map(
      (name) => new BullMQAdapter(app.get<Queue>(getQueueToken(name), { strict: false }), { readOnlyMode: true }),
    ),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Queues of Gonets',
        // The way back; the board is opened from there, in a tab of its own.
        miscLinks: [{ text: 'Back to Gonets', url: '/status' }],
        hideDocsLink: true,
      },
    },
  });
  const guard = queuesGuard(
    app.get(TokensService, { strict: false }),
    app.get(SessionsService, { strict: false }),
    config,
  );
  app.use(
    '/queues',
    (request: Request, response: Response, next: NextFunction) => void guard(request, response, next).catch(next),
    withoutForeignFonts,
    adapter.getRouter(),
  );
}

/** Bull Board's page loads its fonts from another host, which our policy forbids; the page works without them. */
function withoutForeignFonts(_request: Request, response: Response, next: NextFunction): void {
  const send = response.send.bind(response);
  response.send = (body: unknown) =>
    send(typeof body === 'string' ? body.replace(/<link href="https:[^>]*>/, '') : body);
  next();
}

/** The role of the session's user, or of the user of the token given as the password. */
function queuesGuard(tokens: TokensService, sessions: SessionsService, config: Config) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const basic = /^Basic ([\w+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const password = basic ? Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':') : '';
    const sessionToken = sessionTokenOf(request, config);
    const bearer = password
      ? await tokens.authenticate(password)
      : sessionToken
        ? await sessions.authenticate(sessionToken)
        : null;
    const plain = (status: number, text: string) => void response.status(status).type('text/plain').send(text);
    if (!bearer || ('scopes' in bearer && !bearer.scopes.includes('read'))) {
      response.setHeader(
        'WWW-Authenticate',
        'Basic realm="Gonets queues: an API token as the password", charset="UTF-8"',
      );
      plain(401, 'Sign in, or give an API token as the password.');
    } else if (reach(bearer, 'queues.read') === 'none' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      plain(403, 'Only managers and admins may look at the queues, and nobody may change them here.');
    } else next();
  };
}
