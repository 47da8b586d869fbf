import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { csvRow } from '../../domain/csv-records';
import { invalid, ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { timeZoneName } from '../../domain/time-zone';

export const reportSteps = ['day', 'week', 'month'] as const;
export type ReportStep = (typeof reportSteps)[number];

export interface ReportQuery {
  by: ReportStep;
  mailingId?: number;
  /** Local days `2027-03-14`, both inclusive; by default the last 30 days, 12 weeks or 12 months. */
  from?: string;
  to?: string;
  /** Days begin and end on this zone's wall clock. */
  timeZone: string;
}

export interface ReportCounts {
  sent: number;
  failed: number;
  unknown: number;
  skipped: number;
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
const TOP = 10;
const COLUMNS = ['sent', 'failed', 'unknown', 'skipped', 'bounced', 'complained', 'unsubscribed'] as const;
const COUNTS = COLUMNS.map((name) => `coalesce(sum(s.${name}), 0)::bigint AS ${name}`).join(', ');

/** What was sent and what failed, by periods of the reader's calendar, from the counters that the ledger keeps. */
@Injectable()
export class ReportsService {
  constructor(private readonly database: Database) {}

  /** @throws ValidationError for days or a zone that do not exist, or a range of very many periods */
  async report(viewer: Viewer, query: ReportQuery): Promise<Report> {
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
             ORDER BY sum(s.sent + s.failed) DESC LIMIT 50) t
         JOIN mailings m ON m.id = t.id LEFT JOIN LATERAL (SELECT mailing_name, subject FROM runs
           WHERE mailing_id = t.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r ON true
         WHERE ${COLUMNS.map((name) => `t.${name}`).join(' + ')} > 0 ORDER BY t.sent + t.failed DESC`,
        params,
      ),
      this.database.rows<Report['reasons'][number]>(
        `SELECT f.reason, sum(f.failed)::bigint AS failed FROM failure_stats f ${where('f')}
          GROUP BY 1 HAVING sum(f.failed) > 0 ORDER BY 2 DESC, 1 LIMIT ${TOP}`,
        params,
      ),
      this.database.rows<Report['domains'][number]>(
        `SELECT f.domain, sum(f.failed)::bigint AS failed FROM failure_stats f ${where('f')}
          GROUP BY 1 HAVING sum(f.failed) > 0 ORDER BY 2 DESC, 1 LIMIT ${TOP}`,
        params,
      ),
    ]);
    const total = Object.fromEntries(
      COLUMNS.map((name) => [name, items.reduce((sum, item) => sum + item[name], 0)]),
    ) as unknown as ReportCounts;
    return { by, from, to, timeZone, total, items, mailings, reasons, domains };
  }

  /** The report's periods as CSV. */
  async csv(viewer: Viewer, query: ReportQuery): Promise<string> {
    const { items } = await this.report(viewer, query);
    const rows = items.map((item) => csvRow([item.start, ...COLUMNS.map((name) => String(item[name]))]));
    return `\uFEFF${csvRow([query.by, ...COLUMNS])}${rows.join('')}`;
  }

  private async range(query: ReportQuery, timeZone: string): Promise<{ from: string; to: string }> {
    const errors = (['from', 'to'] as const)
      .filter((field) => query[field] !== undefined && !isDay(query[field]))
      .flatMap((field) => at(field, problem('day')));
    if (errors.length > 0) throw new ValidationError(errors);
    const row = await this.database.first<{ from: string; to: string; n: number }>(
      `SELECT f.from::text, t.to::text, t.to - f.from AS n
        FROM (SELECT coalesce($2::date, (app_now() AT TIME ZONE $3)::date) AS to) t,
         LATERAL (SELECT coalesce($1::date, (t.to - interval '${SPAN[query.by]}')::date) AS from) f`,
      [query.from ?? null, query.to ?? null, timeZone],
    );
    if (!row) throw new Error('a SELECT without a table returned no row');
    if (row.n < 0) throw invalid('to', problem('to_before_from'));
    const days = { day: 1, week: 7, month: 28 }[query.by];
    if (row.n / days > MAX_PERIODS) throw invalid('from', problem('too_many_periods', { max: MAX_PERIODS }));
    return row;
  }
}

function isDay(text: string | undefined): boolean {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}
