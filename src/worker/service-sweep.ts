import { Injectable } from '@nestjs/common';
import { ClientWork } from '../features/clients/client-work.service';
import { Outages } from '../features/consent/outages.service';
import { InboundLetters } from '../features/inbound/inbound-letters.service';
import { Notices } from '../features/notices/notices.service';
import { ReturnWatch } from '../features/scheduling/return-watch.service';

/** What a sweep does beside the ledger: goes on with work that was lost. */
@Injectable()
export class ServiceSweep {
  constructor(
    private readonly clients: ClientWork,
    private readonly notices: Notices,
    private readonly inbound: InboundLetters,
    private readonly outages: Outages,
    private readonly returns: ReturnWatch,
  ) {}

  async run(): Promise<void> {
    await this.clients.runPending();
    await this.notices.enqueueDue();
    await this.inbound.sweep();
    await this.outages.look();
    await this.returns.look();
  }
}
