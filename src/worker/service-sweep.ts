import { Injectable } from '@nestjs/common';
import { ClientWork } from '../features/clients/client-work.service';
import { Outages } from '../features/consent/outages.service';
import { FormDrafts } from '../features/drafts/form-drafts.service';
import { InboundLetters } from '../features/inbound/inbound-letters.service';
import { Notices } from '../features/notices/notices.service';
import { ReturnWatch } from '../features/scheduling/return-watch.service';
import { SignupRecords } from '../features/signups/signup-records.service';
import { StaleUsers } from '../features/users/stale-users';

/** What a sweep does beside the ledger: goes on with work that was lost, and deletes what has had its time. */
@Injectable()
export class ServiceSweep {
  constructor(
    private readonly clients: ClientWork,
    private readonly notices: Notices,
    private readonly inbound: InboundLetters,
    private readonly outages: Outages,
    private readonly returns: ReturnWatch,
    private readonly users: StaleUsers,
    private readonly signups: SignupRecords,
    private readonly drafts: FormDrafts,
  ) {}

  async run(): Promise<void> {
    await this.clients.runPending();
    await this.notices.enqueueDue();
    await this.inbound.sweep();
    await this.outages.look();
    await this.returns.look();
    await this.users.forget();
    await this.signups.forgetExpired();
    await this.drafts.forgetOld();
  }
}
