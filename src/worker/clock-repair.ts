import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from '../database/database';
import { accountsPutBack } from '../features/accounts/accounts.service';
import { importsPutBack } from '../features/clients/import-applier.service';
import { deliveriesPutBack } from '../features/ledger/moves';
import { noticesPutBack } from '../features/notices/notice-tokens';
import { FeedState } from '../queue/feed-state';
import { QUEUES } from '../queue/queue.module';
import { shortenLocks } from '../queue/redis-clock';
import { RedisConnection } from '../queue/redis.module';

/** Repairs what would wait too long after the clock of Postgres or Redis was put back. */
@Injectable()
export class ClockRepair {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisConnection,
    private readonly feed: FeedState,
    @Inject(QUEUES) private readonly queues: Queue[],
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /**
   * The database's clock was put back by at least so much: moves waiting times back, too, so that nothing waits longer
   * because of it.
   */
  async catchUp(backMs: number): Promise<void> {
    this.logger.warn({ event: 'clock.put_back', backMs: Math.round(backMs) }, "The database's clock was put back");
    await this.database.transaction(async (tx) => {
      // Occurrences are not moved: they are due by the clock.
      for (const putBack of [accountsPutBack, noticesPutBack, importsPutBack, deliveriesPutBack])
        await putBack(tx, backMs);
    });
    // The feeder's cursors contain times, too.
    await this.feed.refeed();
  }

  /** Redis' clock may have been put back at any time, so its locks are checked regularly. */
  async shortenLocks(): Promise<void> {
    let shortened = 0;
    for (const queue of this.queues) shortened += await shortenLocks(this.redis.client, queue, this.config.takeoverMs);
    if (shortened > 0)
      this.logger.warn(
        { event: 'redis.clock_put_back', locks: shortened },
        "Locks lasted too long: Redis' clock was put back",
      );
  }
}
