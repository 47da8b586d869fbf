import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { clientHistory, type HistoryEntry } from '../../domain/client-history';
import type { Viewer } from '../../domain/permissions';
import {
  scopeOf,
  type SuppressionReason,
  type SuppressionScope,
  type SuppressionSource,
} from '../../domain/suppression';
import { EventsService, type EventView } from '../ledger/events.service';
import type { Client } from './client.entity';

/** A suppression of a client's address, in force or not any more. */
export interface PastSuppression {
  id: number;
  reason: SuppressionReason;
  source: SuppressionSource;
  detail: string;
  scope: SuppressionScope;
  mailingName: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  isExpired: boolean;
  liftedAt: Date | null;
  /** Whether the person lifted it, and not a user. */
  isLiftedByPerson: boolean;
  liftReason: string | null;
}

export type ClientHistoryEntry = HistoryEntry<EventView, PastSuppression>;

/** How many events, suppressions in force and lifted ones are read. */
const MAX = 200;

/** What became known about a client's letters, and why and when the client got no mail. */
@Injectable()
export class ClientHistory {
  constructor(
    private readonly database: Database,
    private readonly events: EventsService,
  ) {}

  /**
   * Newest first. @param client one that the viewer may read
   * @param before leaves out events from this instant on
   */
  async of(
    viewer: Viewer,
    client: Pick<Client, 'id' | 'ownerId' | 'email'>,
    before: Date | null = null,
  ): Promise<ClientHistoryEntry[]> {
    const [events, suppressions] = await Promise.all([
      this.events.list(viewer, { clientId: client.id, limit: MAX, ...(before && { to: before }) }),
      this.suppressions(client),
    ]);
    return clientHistory(events.items, suppressions);
  }

  /**
   * Those in force are found by the address, lifted ones by its hash, because it may have been erased there. What was
   * said about another's letter, and what another wrote, is left out.
   */
  private async suppressions({ ownerId, email }: Pick<Client, 'ownerId' | 'email'>): Promise<PastSuppression[]> {
    type Row = Omit<PastSuppression, 'scope'> & { ownerId: number | null; mailingId: number | null };
    const rows = await this.database.rows<Row>(
      `SELECT s.id, s.reason, s.source, CASE WHEN s.listed_for = $2 THEN s.detail ELSE '' END AS detail,
              s.owner_id, s.mailing_id, m.name AS mailing_name, s.created_at,
              s.expires_at, coalesce(s.expires_at <= app_now(), false) AS is_expired, s.lifted_at,
              s.lifted_by IS NULL AND s.lift_reason = 'resubscribed' AS is_lifted_by_person,
              CASE WHEN s.listed_for = $2 OR s.lift_reason IN ('outage', 'undone', 'resubscribed') THEN s.lift_reason END
                AS lift_reason
         FROM (
           (SELECT * FROM suppressions
             WHERE email_key = lower($1 COLLATE "C") AND lifted_at IS NULL AND (owner_id = $2 OR owner_id IS NULL)
             ORDER BY id DESC LIMIT ${MAX})
           UNION ALL
           (SELECT * FROM suppressions
             WHERE address_hash = address_hash($1) AND lifted_at IS NOT NULL AND (owner_id = $2 OR owner_id IS NULL)
             ORDER BY lifted_at DESC LIMIT ${MAX})) s
         LEFT JOIN mailings m ON m.id = s.mailing_id`,
      [email, ownerId],
    );
    return rows.map((row) => ({ ...row, scope: scopeOf(row) }));
  }
}
