import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DeliverySweeper, type Swept } from '../features/sending/sweeper.service';
import { RunsService } from '../features/runs/runs.service';
import { PlanJobs } from '../features/scheduling/plan-jobs.service';
import { Expiry } from './expiry';
import { ServiceSweep } from './service-sweep';

/** Makes losses of Redis and dead workers harmless: finds lost work in the ledger and continues it. */
@Injectable()
export class Sweep {
  constructor(
    private readonly deliveries: DeliverySweeper,
    private readonly runs: RunsService,
    private readonly plans: PlanJobs,
    private readonly service: ServiceSweep,
    private readonly expiry: Expiry,
    private readonly logger: PinoLogger,
  ) {}

  async run(): Promise<Swept> {
    await this.plans.add(await this.runs.unplanned(), { again: true });
    await this.runs.closeRest();
    const swept = await this.deliveries.sweep();
    await this.runs.finishIfDrained(null);
    await this.service.run();
    await this.expiry.run();
    for (const wrong of await this.runs.miscounted()) {
      this.logger.error({ event: 'ledger.miscounted', ...wrong }, 'The counters of a run differ from its deliveries');
    }
    return swept;
  }
}
