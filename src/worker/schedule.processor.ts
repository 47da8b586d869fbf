import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { SCHEDULE_QUEUE, type ScheduleJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';
import { Rounds } from './rounds';

/**
 * The repeatable jobs, which Bull Board shows: the calendar's tick and the sweep. The concurrency is two, so that a
 * long sweep does not delay the calendar. The database decides whether they are due (Rounds).
 */
@Injectable()
export class ScheduleProcessor extends WorkerHost {
  constructor(
    private readonly rounds: Rounds,
    private readonly redis: RedisConnection,
  ) {
    super();
  }

  process({ name }: Job<unknown, unknown, ScheduleJob>): Promise<unknown> {
    return this.rounds.ask(name);
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.redis.complain(error, SCHEDULE_QUEUE);
  }
}
