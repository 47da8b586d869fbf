import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { csvRow } from '../../domain/csv-records';
import { invalid, ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { plainDay, timeZoneName } from '../../domain/time-zone';

export const reportSteps = ['day', 'week', 'month'] as const;
export type ReportStep = (typeof reportSteps)[number];

/** Ranges by name; those that are not over yet end today. */
export const reportPeriods = ['this_month', 'last_month', 'this_year'] as const;
export type ReportPeriod = (typeof reportPeriods)[number];

/** What of a report a CSV file contains. */
export const reportParts = ['periods', 'mailings', 'reasons', 'domains'] as const;
export type ReportPart = (typeof reportParts)[number];

/** Local days `2027-03-14`, both inclusive. */
export interface DayRange {
  from: string;
  to: string;
}

export interface ReportQuery extends Partial<DayRange> {
  by: ReportStep;
  mailingId?: number;
  /** Used where `from` and `to` are absent; without all three the last 30 days, 12 weeks or 12 months. */
  period?: ReportPeriod;
  /** Days begin and end on this zone's wall clock. */
  timeZone: string;
}

export interface ReportCounts {
  sent: number;
  failed: number;
  unknown: number;
  skipped: number;
  /** Not sent, because the mailing was finished or ended before. */
  cancelled: number;
  /** What became known in the period, also about letters that were sent before. */
  bounced: number;
  complained: number;
  unsubscribed: number;
}

export interface Report {
  by: ReportStep;
  from: string;
  to: string;
  timeZone: string;
  total: ReportCounts;
  /** Every period in the range, oldest first, also empty ones; `start` is its first day. */
  items: (ReportCounts & { start: string })[];
  mailings: (ReportCounts & { id: number; name: string })[];
  reasons: { reason: string; failed: number }[];
  /** Mail domains by how many letters failed there. */
  domains: { domain: string; failed: number }[];
}

const SPAN: Record<ReportStep, string> = { day: '29 days', week: '11 weeks', month: '11 months' };
const MAX_PERIODS = 1_500;
/** How many rows a report has of mailings, of reasons and of domains; a CSV file has more. */
export const REPORT_ROWS = { mailings: 50, top: 10 };
const CSV_ROWS = { mailings: 10_000, top: 1_000 };
const COLUMNS = ['sent', 'failed', 'unknown', 'skipped', 'bounced', 'complained', 'unsubscribed', 'cancelled'] as const;
const COUNTS = COLUMNS.map((name) => `coalesce(sum(s.${name}), 0)::bigint AS ${name}`).join(', ');

/** What was sent and what failed, by periods of the reader's calendar, from the counters that the ledger keeps. */
@Injectable()
export class ReportsService {
  constructor(private readonly database: Database) {}

  /** @throws ValidationError for days or a zone that do not exist, or a range of very many periods */
  async report(viewer: Viewer, query: ReportQuery, rows = REPORT_ROWS): Promise<Report> {
    const { by, mailingId } = query;
    const timeZone = timeZoneName(query.timeZone);
    if (!timeZone) throw invalid('timeZone', problem('time_zone'));
    const { from, to } = await this.range(query, timeZone);
    const params = [readableOwner(viewer), mailingId ?? null, from, to, timeZone];
    const where = (
      t: string,
    ) => `WHERE ($1::bigint IS NULL OR ${t}.owner_id = $1) AND ($2::bigint IS NULL OR ${t}.mailing_id = $2)
        AND ${t}.bucket_at >= ($3::date::timestamp AT TIME ZONE $5)
          AND ${t}.bucket_at < (($4::date + 1)::timestamp AT TIME ZONE $5)`;
    const [items, mailings, reasons, domains] = await Promise.all([
      this.database.rows<Report['items'][number]>(
        `WITH counted AS (
           SELECT date_trunc('${by}', s.bucket_at AT TIME ZONE $5)::date AS start, ${COUNTS}
             FROM stats s ${where('s')} GROUP BY 1)
         SELECT p::date::text AS start, ${COLUMNS.map((name) => `coalesce(c.${name}, 0) AS ${name}`).join(', ')}
           FROM generate_series(date_trunc('${by}', $3::date::timestamp), $4::date::timestamp, interval '1 ${by}') p
           LEFT JOIN counted c ON c.start = p::date ORDER BY p`,
        params,
      ),
      this.database.rows<Report['mailings'][number]>(
        `SELECT t.*, coalesce(nullif(coalesce(r.mailing_name, m.name), ''), r.subject, '') AS name FROM (
           SELECT s.mailing_id AS id, ${COUNTS} FROM stats s ${where('s')} GROUP BY 1
             ORDER BY sum(s.sent + s.failed + s.cancelled) DESC, 1 LIMIT ${rows.mailings}) t
         JOIN mailings m ON m.id = t.id LEFT JOIN LATERAL (SELECT mailing_name, subject FROM runs
           WHERE mailing_id = t.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r ON true
         WHERE ${COLUMNS.map((name) => `t.${name}`).join(' + ')} > 0
         ORDER BY t.sent + t.failed + t.cancelled DESC, t.id`,
        params,
      ),
      this.database.rows<Report['reasons'][number]>(
        `SELECT f.reason, sum(f.failed)::bigint AS failed FROM failure_stats f ${where('f')}
          GROUP BY 1 HAVING sum(f.failed) > 0 ORDER BY 2 DESC, 1 LIMIT ${rows.top}`,
        params,
      ),
      this.database.rows<Report['domains'][number]>(
        `SELECT f.domain, sum(f.failed)::bigint AS failed FROM failure_stats f ${where('f')}
          GROUP BY 1 HAVING sum(f.failed) > 0 ORDER BY 2 DESC, 1 LIMIT ${rows.top}`,
        params,
      ),
    ]);
    const total = Object.fromEntries(
      COLUMNS.map((name) => [name, items.reduce((sum, item) => sum + item[name], 0)]),
    ) as unknown as ReportCounts;
    return { by, from, to, timeZone, total, items, mailings, reasons, domains };
  }

  /** A part of the report as CSV, with more rows than `report` has. */
  async csv(viewer: Viewer, query: ReportQuery, part: ReportPart): Promise<string> {
    const report = await this.report(viewer, query, CSV_ROWS);
    const counts = (of: ReportCounts) => COLUMNS.map((name) => String(of[name]));
    const rows = {
      periods: () => [[query.by, ...COLUMNS], ...report.items.map((item) => [item.start, ...counts(item)])],
      mailings: () => [
        ['id', 'name', ...COLUMNS],
        ...report.mailings.map((mailing) => [String(mailing.id), mailing.name, ...counts(mailing)]),
      ],
      reasons: () => [['reason', 'failed'], ...report.reasons.map(({ reason, failed }) => [reason, String(failed)])],
      domains: () => [['domain', 'failed'], ...report.domains.map(({ domain, failed }) => [domain, String(failed)])],
    }[part]();
    return `\uFEFF${rows.map((row) => csvRow(row)).join('')}`;
  }

  /** The named ranges today, on the wall clock of a zone. */
  async periods(timeZone: string): Promise<Record<ReportPeriod, DayRange>> {
    const rows = await this.database.rows<DayRange & { name: ReportPeriod }>(
      `SELECT p.name, p.from::date::text, p.to::date::text
         FROM (SELECT (app_now() AT TIME ZONE $1)::date AS day) d, LATERAL (VALUES
           ('this_month', date_trunc('month', d.day), d.day),
           ('last_month', date_trunc('month', d.day) - interval '1 month',
             date_trunc('month', d.day) - interval '1 day'),
           ('this_year', date_trunc('year', d.day), d.day)) p(name, "from", "to")`,
      [timeZone],
    );
    return Object.fromEntries(rows.map(({ name, from, to }) => [name, { from, to }])) as Record<ReportPeriod, DayRange>;
  }

  private async range(given: ReportQuery, timeZone: string): Promise<DayRange> {
    const named = given.period && given.from === undefined && given.to === undefined && given.period;
    const query = named ? { ...given, ...(await this.periods(timeZone))[named] } : given;
    const errors = (['from', 'to'] as const)
      .filter((field) => query[field] !== undefined && !plainDay(query[field]))
      .flatMap((field) => at(field, problem('day')));
    if (errors.length > 0) throw new ValidationError(errors);
    const row = await this.database.first<{ from: string; to: string; n: number }>(
      `SELECT f.from::text, t.to::text, t.to - f.from AS n
        FROM (SELECT coalesce($2::date, (app_now() AT TIME ZONE $3)::date) AS to) t,
         LATERAL (SELECT coalesce($1::date, greatest('0001-01-01', t.to - interval '${SPAN[query.by]}')::date) AS from) f`,
      [query.from ?? null, query.to ?? null, timeZone],
    );
    if (!row) throw new Error('a SELECT without a table returned no row');
    if (row.n < 0) throw invalid('to', problem('to_before_from'));
    const days = { day: 1, week: 7, month: 28 }[query.by];
    if (row.n / days > MAX_PERIODS) throw invalid('from', problem('too_many_periods', { max: MAX_PERIODS }));
    return row;
  }
}
