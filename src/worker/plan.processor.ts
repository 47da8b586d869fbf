import { Injectable } from '@nestjs/common';
import { DelayedError, type Job, type Worker } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { ClientWork } from '../features/clients/client-work.service';
import { FeederService } from '../features/sending/feeder.service';
import { PlannerService } from '../features/runs/planner.service';
import type { PlanJob } from '../queue/queues';
import { RunFinisher } from './run-finisher';

/** How long work on clients goes on before other jobs get their turn. */
const SLICE_MS = 5_000;

/** Plans runs and works on many clients (imports, bulk actions): long work in short transactions, apart from the sending. */
@Injectable()
export class PlanProcessor {
  constructor(
    private readonly planner: PlannerService,
    private readonly feeder: FeederService,
    private readonly finisher: RunFinisher,
    private readonly clients: ClientWork,
    private readonly logger: PinoLogger,
  ) {}

  async process(job: Job<PlanJob>, token: string | undefined, worker: Worker): Promise<void> {
    if (!('runId' in job.data)) {
      if (await this.clients.resume(job.data, SLICE_MS)) return;
      // To the end of the queue: delayed until time 0, because this node's clock may be ahead of the others'.
      await worker.getBackend().moveToDelayed(job.id as string, 0, 0, token, { skipAttempt: true });
      throw new DelayedError();
    }
    const { runId } = job.data;
    if (await this.planner.plan(runId)) {
      await this.feeder.feed();
      this.finisher.note(runId);
    }
  }

  onFailed(job: Job<PlanJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'plan.failed', job: job?.name, ...job?.data, reason: error.message },
      'Planning or importing stopped; the sweeper will resume it',
    );
  }
}
