import { Injectable } from '@nestjs/common';
import { invalid } from '../../domain/errors';
import type { Page } from '../../domain/paging';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { timelineCursor, timelinePage } from '../../domain/timeline';
import { ClientHistory } from '../../features/clients/client-history.service';
import type { ClientView } from '../../features/clients/client-view';
import { ClientLetters } from '../../features/runs/client-letters.service';
import { SignupRecords } from '../../features/signups/signup-records.service';
import type { TimelineEntry } from './client-timeline';

const SHOWN = 30;

/** What the page of a client shows below the client. */
@Injectable()
export class ClientParts {
  constructor(
    private readonly letters: ClientLetters,
    private readonly history: ClientHistory,
    private readonly signups: SignupRecords,
  ) {}

  /** All that happened, newest first, in pages. @throws ValidationError for a cursor that is not one */
  async timeline(viewer: Viewer, client: ClientView, cursor: string | undefined): Promise<Page<TimelineEntry>> {
    const before = cursor === undefined || cursor === '' ? null : timelineCursor(cursor);
    if (before === undefined) throw invalid('cursor', problem('cursor'));
    const [history, letters, signups] = await Promise.all([
      this.history.of(viewer, client, before),
      this.letters.before(viewer, client.id, before, SHOWN + 1),
      this.signups.ofClient(client),
    ]);
    // Of the same instant, what followed stands first.
    const entries: TimelineEntry[] = [...history, ...letters];
    for (const record of signups) {
      if (record.confirmedAt) entries.push({ what: 'agreed', at: record.confirmedAt, record });
      entries.push({ what: 'signed_up', at: record.createdAt, record });
    }
    entries.push({ what: 'joined', at: client.createdAt });
    return timelinePage(entries, { before, limit: SHOWN });
  }
}
