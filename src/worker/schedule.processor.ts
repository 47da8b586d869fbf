import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { SCHEDULE_QUEUE, type ScheduleJob } from '../queue/queues';
import { Sweep } from './sweep';

/**
 * The repeatable jobs: the calendar's tick and the sweep. Each is under way at most once in this process, with a slot of
 * its own, so that a long sweep never keeps the calendar waiting.
 */
@Injectable()
export class ScheduleProcessor extends WorkerHost {
  private readonly underWay = new Set<ScheduleJob>();

  constructor(
    private readonly scheduler: SchedulerService,
    private readonly sweep: Sweep,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process({ name }: Job<unknown, unknown, ScheduleJob>): Promise<unknown> {
    if (this.underWay.has(name)) return undefined;
    this.underWay.add(name);
    try {
      return await (name === 'tick' ? this.scheduler.tick() : this.sweep.run());
    } finally {
      this.underWay.delete(name);
    }
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ event: 'queue.error', queue: SCHEDULE_QUEUE, reason: error.message }, 'Queue reported an error');
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.logger.error(
      { event: 'schedule.failed', job: job?.name, reason: error.message, stack: error.stack },
      'Tick or sweep failed; it is repeated',
    );
  }
}
