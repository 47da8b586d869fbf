import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.module';
import { MailboxReader } from '../features/inbound/mailbox-reader.service';
import { WorkerRegistry } from '../features/ledger/worker-registry.service';
import { RedisConnection } from '../queue/redis.module';
import { Counting } from './counting';
import { Rounds } from './rounds';

/** How often in an interval a worker asks whether a round is due. */
const ASKS = 4;

/** What each worker does besides sending, by its own timers. */
@Injectable()
export class Upkeep {
  constructor(
    private readonly rounds: Rounds,
    private readonly redis: RedisConnection,
    private readonly registry: WorkerRegistry,
    private readonly mailbox: MailboxReader,
    private readonly counting: Counting,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  get tasks(): { name: string; everyMs: number; work: () => Promise<unknown> }[] {
    const { rounds } = this;
    return [
      { name: 'tick', everyMs: rounds.intervalMs('tick') / ASKS, work: () => rounds.ask('tick') },
      { name: 'sweep', everyMs: rounds.intervalMs('sweep') / ASKS, work: () => rounds.ask('sweep') },
      { name: 'mailbox', everyMs: this.config.heartbeatMs, work: () => this.mailbox.ask(this.registry.id) },
      { name: 'count', everyMs: this.config.sweepIntervalMs, work: () => this.counting.run() },
      { name: 'redis', everyMs: this.config.heartbeatMs, work: () => this.lookAtRedis() },
    ];
  }

  private async lookAtRedis(): Promise<void> {
    this.registry.redisReason = await this.redis.trouble();
  }
}
