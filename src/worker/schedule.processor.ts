import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { ScheduleJob } from '../queue/queues';
import { Rounds } from './rounds';

/**
 * The repeatable jobs, which Bull Board shows: the calendar's tick and the sweep. The concurrency is two, so that a
 * long sweep does not delay the calendar. The database decides whether they are due (Rounds).
 */
@Injectable()
export class ScheduleProcessor {
  constructor(private readonly rounds: Rounds) {}

  process({ name }: Job<unknown, unknown, ScheduleJob>): Promise<unknown> {
    return this.rounds.ask(name);
  }
}
