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

/** What a report says over time; all that charts show. */
export type OverTime = Omit<Report, 'mailings' | 'reasons' | 'domains'>;

/** A query whose range is known, and the parameters of `within`. */
interface Asked {
  range: Pick<Report, 'by' | 'from' | 'to' | 'timeZone'>;
  params: unknown[];
}

const SPAN: Record<ReportStep, string> = { day: '29 days', week: '11 weeks', month: '11 months' };
const MAX_PERIODS = 1_500;
/** How many rows a report has of mailings, of reasons and of domains; a CSV file has more. */
export const REPORT_ROWS = { mailings: 50, top: 10 };
const CSV_ROWS = { mailings: 10_000, top: 1_000 };
const COLUMNS = ['sent', 'failed', 'unknown', 'skipped', 'bounced', 'complained', 'unsubscribed', 'cancelled'] as const;
const COUNTS = COLUMNS.map((name) => `coalesce(sum(s.${name}), 0)::bigint AS ${name}`).join(', ');
const numbers = (of: ReportCounts) => COLUMNS.map((name) => String(of[name]));

/** Of the table `t` the buckets of the owner, the mailing and the days that are asked for. */
const within = (
  t: string,
) => `WHERE ($1::bigint IS NULL OR ${t}.owner_id = $1) AND ($2::bigint IS NULL OR ${t}.mailing_id = $2)
    AND ${t}.bucket_at >= ($3::date::timestamp AT TIME ZONE $5)
      AND ${t}.bucket_at < (($4::date + 1)::timestamp AT TIME ZONE $5)`;

/** What was sent and what failed, by periods of the reader's calendar, from the counters that the ledger keeps. */
@Injectable()
export class ReportsService {
  constructor(private readonly database: Database) {}

  /** @throws ValidationError for days or a zone that do not exist, or a range of very many periods */
  async report(viewer: Viewer, query: ReportQuery): Promise<Report> {
    const asked = await this.asked(viewer, query);
    const [{ items, total }, mailings, reasons, domains] = await Promise.all([
      this.itemsOf(asked),
      this.mailingsOf(asked, REPORT_ROWS.mailings),
      this.failuresBy('reason', asked, REPORT_ROWS.top),
      this.failuresBy('domain', asked, REPORT_ROWS.top),
    ]);
    return { ...asked.range, total, items, mailings, reasons, domains };
  }

  /** What a report says over time, without its lists. @throws ValidationError, as `report` */
  async overTime(viewer: Viewer, query: ReportQuery): Promise<OverTime> {
    const asked = await this.asked(viewer, query);
    return { ...asked.range, ...(await this.itemsOf(asked)) };
  }

  /** A part of the report as CSV, with more rows than `report` has. @throws ValidationError, as `report` */
  async csv(viewer: Viewer, query: ReportQuery, part: ReportPart): Promise<string> {
    const asked = await this.asked(viewer, query);
    const rows = await {
      periods: async () => [
        [query.by, ...COLUMNS],
        ...(await this.itemsOf(asked)).items.map((item) => [item.start, ...numbers(item)]),
      ],
      mailings: async () => [
        ['id', 'name', ...COLUMNS],
        ...(await this.mailingsOf(asked, CSV_ROWS.mailings)).map((mailing) => [
          String(mailing.id),
          mailing.name,
          ...numbers(mailing),
        ]),
      ],
      reasons: async () => [
        ['reason', 'failed'],
        ...(await this.failuresBy('reason', asked, CSV_ROWS.top)).map(({ reason, failed }) => [reason, String(failed)]),
      ],
      domains: async () => [
        ['domain', 'failed'],
        ...(await this.failuresBy('domain', asked, CSV_ROWS.top)).map(({ domain, failed }) => [domain, String(failed)]),
      ],
    }[part]();
    return `\uFEFF${rows.map((row) => csvRow(row)).join('')}`;
  }

  private async asked(viewer: Viewer, query: ReportQuery): Promise<Asked> {
    const timeZone = timeZoneName(query.timeZone);
    if (!timeZone) throw invalid('timeZone', problem('time_zone'));
    const { from, to } = await this.range(query, timeZone);
    const params = [readableOwner(viewer), query.mailingId ?? null, from, to, timeZone];
    return { range: { by: query.by, from, to, timeZone }, params };
  }

  private async itemsOf({ range: { by }, params }: Asked): Promise<Pick<Report, 'items' | 'total'>> {
    const items = await this.database.rows<Report['items'][number]>(
      `WITH counted AS (
         SELECT date_trunc('${by}', s.bucket_at AT TIME ZONE $5)::date AS start, ${COUNTS}
           FROM stats s ${within('s')} GROUP BY 1)
       SELECT p::date::text AS start, ${COLUMNS.map((name) => `coalesce(c.${name}, 0) AS ${name}`).join(', ')}
         FROM generate_series(date_trunc('${by}', $3::date::timestamp), $4::date::timestamp, interval '1 ${by}') p
         LEFT JOIN counted c ON c.start = p::date ORDER BY p`,
      params,
    );
    const total = Object.fromEntries(
      COLUMNS.map((name) => [name, items.reduce((sum, item) => sum + item[name], 0)]),
    ) as unknown as ReportCounts;
    return { items, total };
  }

  private mailingsOf({ params }: Asked, limit: number): Promise<Report['mailings']> {
    return this.database.rows(
      `SELECT t.*, coalesce(nullif(coalesce(r.mailing_name, m.name), ''), r.subject, '') AS name FROM (
         SELECT s.mailing_id AS id, ${COUNTS} FROM stats s ${within('s')} GROUP BY 1
           ORDER BY sum(s.sent + s.failed + s.cancelled) DESC, 1 LIMIT ${limit}) t
       JOIN mailings m ON m.id = t.id LEFT JOIN LATERAL (SELECT mailing_name, subject FROM runs
         WHERE mailing_id = t.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r ON true
       WHERE ${COLUMNS.map((name) => `t.${name}`).join(' + ')} > 0
       ORDER BY t.sent + t.failed + t.cancelled DESC, t.id`,
      params,
    );
  }

  private failuresBy<K extends 'reason' | 'domain'>(
    what: K,
    { params }: Asked,
    limit: number,
  ): Promise<(Record<K, string> & { failed: number })[]> {
    return this.database.rows(
      `SELECT f.${what}, sum(f.failed)::bigint AS failed FROM failure_stats f ${within('f')}
        GROUP BY 1 HAVING sum(f.failed) > 0 ORDER BY 2 DESC, 1 LIMIT ${limit}`,
      params,
    );
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
