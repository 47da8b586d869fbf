import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { csvRow } from '../../domain/csv-records';
import type { Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { DeliveriesService } from './deliveries.service';

const PAGE = 200;
const COLUMNS = [
  'email',
  'full_name',
  'status',
  'reason',
  'tries',
  'last_response',
  'message_id_header',
  'updated_at',
  'events',
];

@Injectable()
export class DeliveriesExport {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly database: Database,
  ) {}

  /** The deliveries of a run as CSV, page by page: memory is bounded however long the list is. */
  async *csv(viewer: Viewer, runId: number): AsyncIterable<string> {
    await audit(this.database, viewer, 'deliveries.export', { type: 'run', id: runId });
    yield `\uFEFF${csvRow(COLUMNS)}`;
    for (let cursor: string | undefined; ;) {
      const page = await this.deliveries.listOfRun(viewer, runId, { limit: PAGE, ...(cursor ? { cursor } : {}) });
      yield page.items
        .map((d) =>
          csvRow([
            d.email,
            d.fullName ?? '',
            d.status,
            d.reason ?? '',
            String(d.tries),
            d.lastResponse ?? '',
            d.messageIdHeader,
            d.updatedAt.toISOString(),
            d.events.join(';'),
          ]),
        )
        .join('');
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }
}
