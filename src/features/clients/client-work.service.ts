import { Injectable } from '@nestjs/common';
import type { PlanJob } from '../../queue/queues';
import { BulkJobs } from './bulk-jobs.service';
import { ImportsService } from './imports.service';

/** A job of PLAN_QUEUE that is about clients. */
export type ClientJob = Exclude<PlanJob, { runId: number }>;

/** What is done to clients in the background: imports, and actions on many. */
@Injectable()
export class ClientWork {
  constructor(
    private readonly imports: ImportsService,
    private readonly bulk: BulkJobs,
  ) {}

  /** Goes on with it for about `maxMs`. @returns whether nothing is left to do */
  resume(job: ClientJob, maxMs: number): Promise<boolean> {
    return 'importId' in job ? this.imports.resume(job.importId, maxMs) : this.bulk.resume(job.bulkJobId, maxMs);
  }

  /** For the sweeper: whatever has been lost is enqueued again. */
  async runPending(): Promise<void> {
    await this.imports.runPending();
    await this.bulk.runPending();
  }
}
