import type { INestApplication } from '@nestjs/common';
import { getQueueToken } from '@nestjs/bullmq';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { NextFunction, Request, Response } from 'express';
import { TokensService } from '../features/users/tokens.service';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE } from '../queue/queues';

/**
 * Bull Board at /queues: read-only, for managers and admins. Basic authentication takes an API token as the password;
 * the name is not looked at.
 */
export function mountBullBoard(app: INestApplication): void {
  const adapter = new ExpressAdapter();
  adapter.setBasePath('/queues');
  createBullBoard({
    queues: [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE, SERVICE_QUEUE].map(
      (name) => new BullMQAdapter(app.get<Queue>(getQueueToken(name), { strict: false }), { readOnlyMode: true }),
    ),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Gonets' } },
  });
  const tokens = app.get(TokensService, { strict: false });
  const guard = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const basic = /^Basic ([\w+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const password = basic ? Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':') : '';
    const bearer = password ? await tokens.authenticate(password) : null;
    if (!bearer) {
      response.setHeader(
        'WWW-Authenticate',
        'Basic realm="Gonets queues: an API token as the password", charset="UTF-8"',
      );
      response.status(401).type('text/plain').send('Sign in with an API token as the password.');
    } else if (bearer.role === 'user' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response
        .status(403)
        .type('text/plain')
        .send('Only managers and admins may look at the queues, and nobody may change them here.');
    } else next();
  };
  app.use(
    '/queues',
    (request: Request, response: Response, next: NextFunction) => void guard(request, response, next).catch(next),
    adapter.getRouter(),
  );
}
