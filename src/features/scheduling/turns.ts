import type { Sql } from '../../database/database';
import type { ScheduleJob } from '../../queue/queues';

/**
 * Whether this job is due, by the database's clock; of all processes that ask, one gets the turn in each interval. A
 * little early is better than an interval late, because timers and the database's clock do not run equally fast. If the
 * last turn began in the future, the database's clock was put back, by at least `backMs`, and the job is due as well.
 */
export function takeTurn(
  sql: Sql,
  name: ScheduleJob | 'media',
  intervalMs: number,
): Promise<{ backMs: number } | undefined> {
  return sql.first(
    `WITH last AS (SELECT name, begun_at FROM rounds WHERE name = $1 FOR UPDATE)
     UPDATE rounds r SET begun_at = clock_timestamp() FROM last
      WHERE r.name = last.name
        AND last.begun_at NOT BETWEEN clock_timestamp() - $2 * interval '1 millisecond' AND clock_timestamp()
     RETURNING greatest(0, extract(epoch FROM last.begun_at)
       - extract(epoch FROM r.begun_at))::float8 * 1000 AS back_ms`,
    [name, 0.9 * intervalMs],
  );
}
