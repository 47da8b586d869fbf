import { Injectable } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { ClientHistory } from '../../features/clients/client-history.service';
import type { ClientView } from '../../features/clients/client-view';
import { AttemptsService } from '../../features/ledger/attempts.service';
import { DeliveriesService } from '../../features/runs/deliveries.service';
import { SignupRecords } from '../../features/signups/signup-records.service';

/** What the page of a client shows below the client. */
@Injectable()
export class ClientParts {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly attempts: AttemptsService,
    private readonly history: ClientHistory,
    private readonly signups: SignupRecords,
  ) {}

  async of(viewer: Viewer, client: ClientView, cursor: string | undefined) {
    const { id } = client;
    const [deliveries, attempts, history, signups] = await Promise.all([
      this.deliveries.listOfClient(viewer, id, { limit: 25, ...(cursor && { cursor }) }),
      this.attempts.list(viewer, { clientId: id, limit: 20 }),
      this.history.of(viewer, client),
      this.signups.ofClient(client),
    ]);
    return { deliveries, attempts: attempts.items, history, signups };
  }
}
