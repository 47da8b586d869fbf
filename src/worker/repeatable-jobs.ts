import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { Database } from '../database/database';
import { SCHEDULE_QUEUE, type ScheduleJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';
import { Rounds } from './rounds';

const NAMES: ScheduleJob[] = ['tick', 'sweep'];

/**
 * BullMQ's repeatable jobs for tick and sweep, which Bull Board shows. BullMQ computes the time of the next job by the
 * clock of the node that did the last: a job that lies too far ahead, by Redis' clock or by the database's, is
 * replaced, and so is one that was lost by an eviction or a flush.
 */
@Injectable()
export class RepeatableJobs {
  constructor(
    @InjectQueue(SCHEDULE_QUEUE) private readonly queue: Queue,
    private readonly redis: RedisConnection,
    private readonly database: Database,
    private readonly rounds: Rounds,
    private readonly logger: PinoLogger,
  ) {}

  /** Replaces jobs that are missing or wrong; nothing depends on them, because the workers have timers of their own. */
  async keep(): Promise<void> {
    const schedulers = await this.queue.getJobSchedulers();
    const clocks = await this.clocks();
    for (const name of NAMES) {
      const next = schedulers.find(({ key }) => key === name)?.next;
      const limitMs = 2 * this.rounds.intervalMs(name);
      const near = next !== undefined && clocks.every((now) => next - now <= limitMs);
      if (near && (await this.queue.getJob(`repeat:${name}:${next}`))) continue;
      if (next !== undefined)
        this.logger.info(
          { event: 'schedule.renewed', job: name, next },
          'A repeatable job was lost and has been replaced',
        );
      await this.renew(name);
    }
  }

  /**
   * Its finished jobs are removed, too: a new one with the same time, and so the same id, would not be added otherwise.
   */
  private async renew(name: ScheduleJob): Promise<void> {
    await this.queue.removeJobScheduler(name);
    const jobs = await this.queue.getJobs(['wait', 'prioritized', 'delayed', 'completed', 'failed']);
    for (const job of jobs) if (job?.name === name) await job.remove().catch(() => undefined);
    await this.queue.upsertJobScheduler(name, { every: this.rounds.intervalMs(name) }, { name });
  }

  private async clocks(): Promise<number[]> {
    const [seconds, micros] = (await this.redis.client.time()).map(Number) as [number, number];
    return [seconds * 1_000 + micros / 1_000, (await this.database.clock()).getTime()];
  }
}
