import { Injectable } from '@nestjs/common';
import { isArmed } from '../config/failpoint';
import { DeliveryProcessor } from './delivery.processor';
import { PlanProcessor } from './plan.processor';
import { RunFinisher } from './run-finisher';
import { ScheduleProcessor } from './schedule.processor';
import { ServiceProcessor } from './service.processor';

/** This worker's consumers of the queues. */
@Injectable()
export class Processors {
  /** When a delivery's job was last begun, or might have been (monotonic milliseconds). */
  activeAt = performance.now();

  constructor(
    private readonly deliveries: DeliveryProcessor,
    private readonly plans: PlanProcessor,
    private readonly schedules: ScheduleProcessor,
    private readonly notices: ServiceProcessor,
    private readonly finisher: RunFinisher,
  ) {}

  /** @param onEnd called with the reason if one of them ends by itself */
  async run(onEnd: (reason: string) => void): Promise<void> {
    this.deliveries.worker.on('active', () => (this.activeAt = performance.now()));
    for (const worker of this.workers)
      void worker.run().catch((error: unknown) => onEnd(`a queue's worker ended: ${(error as Error).message}`));
    if (isArmed('deaf')) await this.deliveries.worker.pause(true);
  }

  /** Starts no further jobs; resolves when all running ones have ended. */
  close(): Promise<unknown> {
    return Promise.all(this.workers.map((worker) => worker.close()));
  }

  /** Finishes runs that were drained lately now. */
  flush(): Promise<void> {
    return this.finisher.flush();
  }

  private get workers() {
    return [this.deliveries, this.plans, this.schedules, this.notices].map(({ worker }) => worker);
  }
}
