import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { FeederService } from '../features/deliveries/feeder.service';
import { PlannerService } from '../features/runs/planner.service';
import { PLAN_QUEUE, type PlanJob } from '../queue/queues';
import { RunFinisher } from './run-finisher';

/** Plans runs: long work in short transactions, apart from the sending. */
@Injectable()
export class PlanProcessor extends WorkerHost {
  constructor(
    private readonly planner: PlannerService,
    private readonly feeder: FeederService,
    private readonly finisher: RunFinisher,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<PlanJob>): Promise<void> {
    const { runId } = job.data;
    if (await this.planner.plan(runId)) {
      await this.feeder.feed();
      this.finisher.note(runId);
    }
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ event: 'queue.error', queue: PLAN_QUEUE, reason: error.message }, 'Queue reported an error');
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<PlanJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'plan.failed', runId: job?.data.runId, reason: error.message },
      'Planning stopped; the sweeper will resume it',
    );
  }
}
