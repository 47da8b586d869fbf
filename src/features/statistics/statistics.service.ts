import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { readableOwner, type Viewer } from '../../domain/permissions';

export interface Statistics {
  mailings: number;
  activeMailings: number;
  uniqueRecipients: number;
  attempts: { ok: number; failed: number; unknown: number };
}

@Injectable()
export class StatisticsService {
  constructor(private readonly database: Database) {}

  /** The home page's numbers, from stored counters. */
  async home(viewer: Viewer): Promise<Statistics> {
    const owner = readableOwner(viewer);
    const row = await this.database.first<
      Record<'mailings' | 'active' | 'unique' | 'ok' | 'failed' | 'unknown', number>
    >(
      `SELECT (SELECT count(*) FROM mailings WHERE deleted_at IS NULL AND ($1::bigint IS NULL OR owner_id = $1)) AS mailings,
              (SELECT count(*) FROM mailings WHERE deleted_at IS NULL AND status = 'started' AND ($1::bigint IS NULL OR owner_id = $1)) AS active,
              coalesce((SELECT clients FROM client_totals WHERE owner_id = coalesce($1, 0)), 0) AS unique, a.*
         FROM (SELECT coalesce(sum(attempts_ok), 0)::bigint AS ok, coalesce(sum(attempts_failed), 0)::bigint AS failed,
                      coalesce(sum(attempts_unknown), 0)::bigint AS unknown
                 FROM stats WHERE ($1::bigint IS NULL OR owner_id = $1)) a`,
      [owner],
    );
    if (!row) throw new Error('no statistics');
    const { ok, failed, unknown } = row;
    return {
      mailings: row.mailings,
      activeMailings: row.active,
      uniqueRecipients: row.unique,
      attempts: { ok, failed, unknown },
    };
  }
}
