import { Get, Header, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Database } from '../database/database';
import { AccountsService } from '../features/accounts/accounts.service';
import { type Restored, restoredNote } from '../features/mailings/restored';
import { MailboxState, type MailboxView } from '../features/inbound/mailbox-state.service';
import { type LiveWorker, StatisticsService } from '../features/statistics/statistics.service';
import { StoredObjects } from '../storage/stored-objects';
import { RedisConnection } from '../queue/redis.module';
import { Metrics } from './metrics';
import { Public } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { listOf, oneOf, said, Shape, text } from './openapi/shape';

class LiveAnswer extends Shape({ status: oneOf(['ok']) }) {}

class ReadyAnswer extends Shape({
  status: oneOf(['ok', 'degraded']),
  degraded: said(
    'What is missing: `redis` with its reason, `smtp_…`, `workers`, `restored`, `mailbox` with its reason, `storage`.',
    listOf(text),
  ),
}) {}

class UnavailableAnswer extends Shape({ status: oneOf(['unavailable']), missing: listOf(oneOf(['postgres'])) }) {}

/** For load balancers and monitoring; says nothing that is secret. */
@ApiController('', 'health')
@Public()
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly redis: RedisConnection,
    private readonly statistics: StatisticsService,
    private readonly mailbox: MailboxState,
    private readonly objects: StoredObjects,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @Operation('Whether this process answers', LiveAnswer)
  live(): LiveAnswer {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @Operation('Whether the service works: 503 only without Postgres, what else is missing degrades', ReadyAnswer, {
    answers: { 503: UnavailableAnswer },
  })
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadyAnswer | UnavailableAnswer> {
    const degraded: string[] = [];
    let smtpState = '';
    let workers: LiveWorker[] = [];
    let restored: Restored | null = null;
    let mailbox: MailboxView | null = null;
    try {
      const account = await this.accounts.read();
      if (account.readOnly) throw new Error('the database is read-only');
      smtpState = account.state;
      workers = await this.statistics.liveWorkers();
      restored = await restoredNote(this.database, null);
      mailbox = await this.mailbox.read();
    } catch {
      response.status(503).setHeader('Retry-After', 5);
      return { status: 'unavailable', missing: ['postgres'] };
    }
    const redis = (await this.redis.trouble()) ?? (workers.every((w) => w.redisReason) && workers[0]?.redisReason);
    if (redis) degraded.push('redis', redis);
    if (smtpState !== 'open') degraded.push(`smtp_${smtpState}`);
    if (workers.length === 0) degraded.push('workers');
    if (restored) degraded.push('restored');
    if (mailbox?.isLate) degraded.push('mailbox', `mailbox_${mailbox.problem}`);
    if (await this.objects.trouble()) degraded.push('storage');
    return { status: degraded.length > 0 ? 'degraded' : 'ok', degraded };
  }

  @Get('metrics')
  @Operation(
    'Metrics for Prometheus',
    { content: { 'text/plain': { schema: { type: 'string' } } } },
    { problems: [503] },
  )
  @Header('Content-Type', 'text/plain; version=0.0.4')
  async prometheus(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.type('text/plain; version=0.0.4');
    return this.metrics.text();
  }
}
