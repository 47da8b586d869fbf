import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { Repeated } from '../../logging/repeated';
import { promptly } from '../../queue/promptly';
import { SERVICE_QUEUE, type ServiceJob } from '../../queue/queues';

/** Behind the service's own letters, for which people wait. */
const PRIORITY = 10;

/** Jobs that judge incoming letters. */
@Injectable()
export class InboundJobs {
  private readonly said: Repeated;

  constructor(
    @InjectQueue(SERVICE_QUEUE) private readonly queue: Queue<ServiceJob>,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /** Without Redis the sweeper does it later. A letter has one job at most, unless it is to be judged `anew`. */
  async add(letters: { id: number; failures: number }[], anew = false): Promise<void> {
    if (letters.length === 0) return;
    await this.addJobs(
      letters.map(({ id, failures }) => ({
        name: 'inbound',
        data: { inboundId: id },
        opts: {
          ...(!anew && { jobId: `inbound-${id}-${failures}` }),
          priority: PRIORITY,
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    );
  }

  /** Jobs that send proof letters, for which somebody waits. */
  async addProofs(ids: number[]): Promise<void> {
    if (ids.length === 0) return;
    const opts = { removeOnComplete: true, removeOnFail: true };
    await this.addJobs(
      ids.map((id) => ({ name: 'proof', data: { proofId: id }, opts: { ...opts, jobId: `proof-${id}` } })),
    );
  }

  private async addJobs(jobs: Parameters<Queue<ServiceJob>['addBulk']>[0]): Promise<void> {
    try {
      await promptly(this.queue.addBulk(jobs));
    } catch (error) {
      this.said.warn(
        { event: 'inbound.not_enqueued', letters: jobs.length, reason: (error as Error).message },
        'Letters were not enqueued; the sweeper will do it',
      );
    }
  }
}
