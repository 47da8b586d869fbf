import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { ClientWork } from '../features/clients/client-work.service';
import { Outages } from '../features/consent/outages.service';
import { FormDrafts } from '../features/drafts/form-drafts.service';
import { InboundLetters } from '../features/inbound/inbound-letters.service';
import { DeliverySweeper, type Swept } from '../features/sending/sweeper.service';
import { Notices } from '../features/notices/notices.service';
import { RunsService } from '../features/runs/runs.service';
import { PlanJobs } from '../features/scheduling/plan-jobs.service';
import { SignupRecords } from '../features/signups/signup-records.service';
import { StaleUsers } from '../features/users/stale-users';

/** Makes losses of Redis and dead workers harmless: finds lost work in the ledger and continues it. */
@Injectable()
export class Sweep {
  constructor(
    private readonly deliveries: DeliverySweeper,
    private readonly runs: RunsService,
    private readonly plans: PlanJobs,
    private readonly clients: ClientWork,
    private readonly notices: Notices,
    private readonly users: StaleUsers,
    private readonly outages: Outages,
    private readonly signups: SignupRecords,
    private readonly drafts: FormDrafts,
    private readonly inbound: InboundLetters,
    private readonly logger: PinoLogger,
  ) {}

  async run(): Promise<Swept> {
    await this.plans.add(await this.runs.unplanned(), { again: true });
    await this.runs.closeRest();
    const swept = await this.deliveries.sweep();
    await this.runs.finishIfDrained(null);
    await this.clients.runPending();
    await this.notices.enqueueDue();
    await this.users.forget();
    await this.outages.look();
    await this.signups.forgetExpired();
    await this.drafts.forgetOld();
    await this.inbound.sweep();
    for (const wrong of await this.runs.miscounted()) {
      this.logger.error({ event: 'ledger.miscounted', ...wrong }, 'The counters of a run differ from its deliveries');
    }
    return swept;
  }
}
