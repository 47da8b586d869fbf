import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { SCHEDULE_QUEUE, type ScheduleJob } from '../queue/queues';
import { Sweep } from './sweep';

/** The repeatable jobs: the calendar's tick and the sweep. */
@Injectable()
export class ScheduleProcessor extends WorkerHost {
  constructor(
    private readonly scheduler: SchedulerService,
    private readonly sweep: Sweep,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<unknown, unknown, ScheduleJob>): Promise<unknown> {
    switch (job.name) {
      case 'tick':
        return this.scheduler.tick();
      case 'sweep':
        return this.sweep.run();
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
