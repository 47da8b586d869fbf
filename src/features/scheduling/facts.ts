import type { Sql } from '../../database/database';
import type { Schedule } from '../../domain/recurrence';
import type { Mailing } from '../mailings/mailing.entity';

export function scheduleOf(mailing: Pick<Mailing, 'startAt' | 'endAt' | 'period' | 'timeZone'>): Schedule {
  const { startAt, endAt, period, timeZone } = mailing;
  return { startAt, endAt, period, timeZone };
}

/** The calendar's clock: that of the database, at the beginning of the transaction. */
export async function databaseNow(sql: Sql): Promise<Date> {
  const row = await sql.first<{ now: Date }>('SELECT app_now() AS now');
  if (!row) throw new Error('no clock');
  return row.now;
}

export interface RunFacts {
  schedule: Schedule;
  nextRunAt: Date | null;
  now: Date;
  lastRunAt: Date | null;
  lastOccurrenceAt: Date | null;
}

/** What the decisions of the calendar ask about a mailing's runs; missed ones don't count. */
export async function readRunFacts(sql: Sql, mailing: Mailing): Promise<RunFacts> {
  const row = await sql.first<{ lastRunAt: Date | null; lastOccurrenceAt: Date | null; now: Date }>(
    `SELECT max(created_at) FILTER (WHERE trigger <> 'resend') AS last_run_at,
      max(occurrence_at) AS last_occurrence_at, app_now() AS now
       FROM runs WHERE mailing_id = $1 AND status <> 'missed'`,
    [mailing.id],
  );
  return {
    schedule: scheduleOf(mailing),
    nextRunAt: mailing.nextRunAt,
    now: row?.now ?? (await databaseNow(sql)),
    lastRunAt: row?.lastRunAt ?? null,
    lastOccurrenceAt: row?.lastOccurrenceAt ?? null,
  };
}
