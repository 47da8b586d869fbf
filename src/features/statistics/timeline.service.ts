import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { readableOwner, type Viewer } from '../../domain/permissions';

/** Attempts of one mailing over time, in steps of equal length. */
export interface Timeline {
  stepMs: number;
  points: { at: Date; ok: number; failed: number; unknown: number }[];
}

const MINUTE = 60_000;
const STEPS_MS = [15 * MINUTE, 60 * MINUTE, 360 * MINUTE, 1_440 * MINUTE, 10_080 * MINUTE, 40_320 * MINUTE];
const POINTS_MAX = 60;

@Injectable()
export class TimelineService {
  constructor(private readonly database: Database) {}

  /** From the first attempt to the last, or, if that is very long, the latest part; empty if there were none. */
  async ofMailing(viewer: Viewer, mailingId: number): Promise<Timeline> {
    const span = await this.database.first<{ from: Date | null; to: Date | null }>(
      `SELECT min(bucket_at) AS from, max(bucket_at) AS to FROM stats
        WHERE mailing_id = $1 AND ($2::bigint IS NULL OR owner_id = $2)
          AND attempts_ok + attempts_failed + attempts_unknown > 0`,
      [mailingId, readableOwner(viewer)],
    );
    if (!span?.from || !span.to) return { stepMs: STEPS_MS[0] ?? 0, points: [] };
    const length = span.to.getTime() - span.from.getTime();
    const stepMs = STEPS_MS.find((step) => length / step < POINTS_MAX) ?? STEPS_MS.at(-1) ?? 0;
    const points = await this.database.rows<Timeline['points'][number]>(
      `WITH counted AS (
         SELECT date_bin($3 * interval '1 millisecond', bucket_at, $4::timestamptz) AS at,
           sum(attempts_ok)::bigint AS ok,
                sum(attempts_failed)::bigint AS failed, sum(attempts_unknown)::bigint AS unknown
           FROM stats WHERE mailing_id = $1 AND ($2::bigint IS NULL OR owner_id = $2) AND bucket_at >= $4 GROUP BY 1)
       SELECT p AS at, coalesce(ok, 0) AS ok, coalesce(failed, 0) AS failed, coalesce(unknown, 0) AS unknown
         FROM generate_series($4::timestamptz, $5::timestamptz, $3 * interval '1 millisecond') p
           LEFT JOIN counted ON counted.at = p
        ORDER BY p DESC LIMIT ${POINTS_MAX * 2}`,
      [mailingId, readableOwner(viewer), stepMs, span.from, span.to],
    );
    return { stepMs, points: points.reverse() };
  }
}
