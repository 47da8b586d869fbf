import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from '../database/database';
import { RedisConnection } from '../queue/redis.module';
import { Metrics } from './metrics';
import { Public } from '../http/viewer';

/** For load balancers and monitoring; says nothing that is secret. */
@ApiTags('health')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisConnection,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('health/live')
  live() {
    return { status: 'ok' };
  }

  /** 503 only without Postgres; what else is missing degrades. */
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) response: Response) {
    const degraded: string[] = [];
    let transport = '';
    let workers = 0;
    try {
      const row = await this.database.first<{ state: string; workers: number }>(
        `SELECT state, (SELECT count(*) FROM workers WHERE stopped_at IS NULL
                          AND heartbeat_at > clock_timestamp() - $1 * interval '1 millisecond') AS workers FROM transports WHERE id = 1`,
        [this.config.takeoverMs],
      );
      transport = row?.state ?? '';
      workers = row?.workers ?? 0;
    } catch {
      response.status(503).setHeader('Retry-After', 5);
      return { status: 'unavailable', missing: ['postgres'] };
    }
    await this.redis.client.ping().catch(() => degraded.push('redis'));
    if (transport !== 'open') degraded.push(`smtp_${transport}`);
    if (workers === 0) degraded.push('workers');
    return { status: degraded.length > 0 ? 'degraded' : 'ok', degraded };
  }

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4')
  async prometheus(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.type('text/plain; version=0.0.4');
    return this.metrics.text();
  }
}
