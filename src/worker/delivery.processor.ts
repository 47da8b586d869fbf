import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { FeederService } from '../features/deliveries/feeder.service';
import { SenderService } from '../features/deliveries/sender.service';
import { LifecycleService } from '../features/scheduling/lifecycle.service';
import { DELIVERY_QUEUE, type DeliveryJob } from '../queue/queues';
import { promptly } from '../queue/promptly';
import { RunFinisher } from './run-finisher';

/** One job, one delivery: the sender does it, and its outcome becomes a verb of the queue. */
@Injectable()
export class DeliveryProcessor extends WorkerHost {
  constructor(
    private readonly sender: SenderService,
    private readonly lifecycle: LifecycleService,
    private readonly finisher: RunFinisher,
    private readonly feeder: FeederService,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<DeliveryJob>, token?: string): Promise<{ status: string; response: string } | undefined> {
    // Whatever is thrown here unexpectedly says nothing of the delivery: the same attempt's job can be added again.
    job.opts.removeOnFail = true;
    const outcome = await this.sender.send(job.data.deliveryId);
    switch (outcome.kind) {
      case 'stopping':
        await job.moveToWait(token);
        throw new WaitingError();
      case 'nothing':
        // A job without effect leaves no trace, so that the same attempt's job can be added again.
        job.opts.removeOnComplete = true;
        return undefined;
      case 'recorded': {
        const { claim, status, response, park, attempts } = outcome;
        this.finisher.note(claim.runId);
        if (park) await this.lifecycle.park(park.mailingId, park.code, park.text);
        else if (status === 'pending') await this.again(claim.id);
        if (attempts === claim.attempts) job.opts.removeOnComplete = true;
        delete job.opts.removeOnFail;
        if (status === 'failed' || status === 'unknown') throw new UnrecoverableError(response);
        return { status, response };
      }
    }
  }

  /** Another attempt soon; if Redis is away, the sweeper finds the delivery without a job. */
  private async again(deliveryId: number): Promise<void> {
    await promptly(this.feeder.feedAgain(deliveryId)).catch((error: unknown) => this.onError(error as Error));
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ event: 'queue.error', queue: DELIVERY_QUEUE, reason: error.message }, 'Queue reported an error');
  }
}
