import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { csvRow } from '../../domain/csv-records';
import { invalid } from '../../domain/errors';
import {
  type MailProvider,
  mailProviders,
  type ProviderCounts,
  type ProviderRates,
  providerCountNames,
  ratesOf,
  SILENT_ABOUT_COMPLAINTS,
} from '../../domain/mail-providers';
import { problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { timeZoneName } from '../../domain/time-zone';

export const DELIVERABILITY_DAYS = { default: 30, max: 90 };

export interface DeliverabilityQuery {
  /** So many days, with today. */
  days: number;
  /** Days begin and end on this zone's wall clock. */
  timeZone: string;
  /** Of one owner; managers only see more than their own. */
  ownerId?: number;
}

export interface ProviderRow extends ProviderCounts, ProviderRates {
  provider: MailProvider;
  /** Whether it tells senders which letters people complained of. */
  tellsComplaints: boolean;
}

/** How letters fared, by provider and by day. */
export interface Deliverability {
  from: string;
  to: string;
  timeZone: string;
  /** What happened until then is counted; null: nothing was counted yet. */
  countedUntil: Date | null;
  /** So many domains were not looked up yet; what goes to them stands at `other`. */
  waitingDomains: number;
  total: ProviderCounts & ProviderRates;
  /** Those with letters, the most first. */
  providers: ProviderRow[];
  /** Every day, oldest first, also empty ones. */
  items: (ProviderCounts & { day: string })[];
}

const SQL_NAMES = { softBounced: 'soft_bounced' } as Partial<Record<keyof ProviderCounts, string>>;
const COLUMNS = providerCountNames.map((name) => SQL_NAMES[name] ?? name);
const SUMS = COLUMNS.map((name) => `coalesce(sum(s.${name}), 0)::bigint AS ${name}`).join(', ');

/** SQL: `days`, and of each and of each provider what was counted, of the owner $1 and the one asked for $2. */
const COUNTED = `
  WITH days AS (
     SELECT day::date AS day FROM generate_series((app_now() AT TIME ZONE $4)::date - $3::int + 1,
       (app_now() AT TIME ZONE $4)::date, interval '1 day') AS day),
   since AS MATERIALIZED (SELECT min(day)::timestamp AT TIME ZONE $4 AS at FROM days),
   stats AS (
     SELECT provider, owner_id, bucket_at, ${COLUMNS.join(', ')} FROM provider_stats
     UNION ALL SELECT 'other', owner_id, bucket_at, ${COLUMNS.join(', ')} FROM domain_stats),
   counted AS (
     SELECT (s.bucket_at AT TIME ZONE $4)::date AS day, s.provider, ${SUMS} FROM stats s
      WHERE s.bucket_at >= (SELECT at FROM since)
        AND ($1::bigint IS NULL OR s.owner_id = $1) AND ($2::bigint IS NULL OR s.owner_id = $2) GROUP BY 1, 2)
  SELECT d.day::text, coalesce(s.provider, 'other') AS provider,
         ${COLUMNS.map((name) => `coalesce(s.${name}, 0)::bigint AS ${name}`).join(', ')}
    FROM days d LEFT JOIN counted s ON s.day = d.day ORDER BY d.day`;

/** How letters fare at the providers of mailboxes, from what ProviderCounts has counted. */
@Injectable()
export class DeliverabilityService {
  constructor(private readonly database: Database) {}

  /** @throws ValidationError for days or a zone that there are not */
  async report(viewer: Viewer, query: DeliverabilityQuery): Promise<Deliverability> {
    const timeZone = timeZoneName(query.timeZone);
    if (!timeZone) throw invalid('timeZone', problem('time_zone'));
    const { max } = DELIVERABILITY_DAYS;
    if (query.days > max) throw invalid('days', problem('too_large', { max }));
    if (query.days < 1) throw invalid('days', problem('too_small', { min: 1 }));
    const [rows, state] = await Promise.all([
      this.database.rows<ProviderCounts & { day: string; provider: MailProvider }>(COUNTED, [
        readableOwner(viewer),
        query.ownerId ?? null,
        query.days,
        timeZone,
      ]),
      this.database.first<{ countedUntil: Date | null; waitingDomains: number }>(
        `SELECT counted_until, (SELECT count(*) FROM domain_providers WHERE provider IS NULL) AS waiting_domains
           FROM provider_counting`,
      ),
    ]);
    const sums = (some: ProviderCounts[]): ProviderCounts =>
      Object.fromEntries(
        providerCountNames.map((name) => [name, some.reduce((sum, each) => sum + each[name], 0)]),
      ) as unknown as ProviderCounts;
    const days = [...new Set(rows.map(({ day }) => day))];
    const total = sums(rows);
    const providers = mailProviders
      .map((provider) => ({ provider, ...sums(rows.filter((row) => row.provider === provider)) }))
      .filter((row) => providerCountNames.some((name) => row[name] > 0))
      .map((row) => ({ ...row, ...ratesOf(row), tellsComplaints: !SILENT_ABOUT_COMPLAINTS.has(row.provider) }))
      .sort((a, b) => b.sent + b.refused - a.sent - a.refused);
    return {
      from: days[0] ?? '',
      to: days.at(-1) ?? '',
      timeZone,
      countedUntil: state?.countedUntil ?? null,
      waitingDomains: state?.waitingDomains ?? 0,
      total: { ...total, ...ratesOf(total) },
      providers,
      items: days.map((day) => ({ day, ...sums(rows.filter((row) => row.day === day)) })),
    };
  }

  /** The providers of a report as CSV. @throws ValidationError, as `report` */
  async csv(viewer: Viewer, query: DeliverabilityQuery): Promise<string> {
    const { providers } = await this.report(viewer, query);
    const rate = (of: number | null) => (of === null ? '' : of.toFixed(5));
    const rows = providers.map((row) => [
      row.provider,
      ...providerCountNames.map((name) => String(row[name])),
      rate(row.refusedRate),
      rate(row.bounceRate),
      row.tellsComplaints ? rate(row.complaintRate) : '',
    ]);
    const head = ['provider', ...providerCountNames, 'refusedRate', 'bounceRate', 'complaintRate'];
    return `\uFEFF${[head, ...rows].map((row) => csvRow(row)).join('')}`;
  }
}
