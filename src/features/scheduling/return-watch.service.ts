import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { within } from '../../database/bounded';
import { Database } from '../../database/database';
import type { MailingCode } from '../../domain/codes';
import type { InboundVerdict } from '../../domain/inbound-decision';
import { SMTP_REASONS, type SmtpReason } from '../../domain/smtp-ruling';
import { Repeated } from '../../logging/repeated';
import { domainOf } from '../consent/suppression-sql';
import { LifecycleService } from './lifecycle.service';

/** How long letters that came back are collected before they are counted. */
const GATHER_MS = 500;
/** How long each statement may count, and how long one look may take, for the sweeper has more to do. */
const COUNT_MS = 2_000;
const LOOK_MS = 5_000;
/** So many mailings are looked at more closely at a time, and about so many letters of each. */
const CLOSELY = 100;
const SAMPLE = 20_000;
const TOO_LONG = 'It took too long';

/**
 * So many letters that came back within an hour for one reason that is ours pause their mailing, if they are this share
 * of those that it sent within a day, to so many domains.
 */
const FAULTS_MIN = 20;
const FAULT_SHARE = 0.01;
const FAULT_DOMAINS = 3;
/** About this recipient's rules or this letter's size, although the sender is to blame. */
const NOT_ABOUT_US: ReadonlySet<SmtpReason> = new Set<SmtpReason>(['policy_refused', 'message_too_large']);
const OUR_FAULTS: MailingCode[] = SMTP_REASONS.filter((reason) => !NOT_ABOUT_US.has(reason));
/** Complaints of a day pause a mailing at this share of its letters to the provider, if there are so many of both. */
const COMPLAINTS_MIN = 3;
const COMPLAINT_SHARE = 0.003;
const SENT_MIN = 1_000;

/** A mailing of which so much came back that the number of its letters decides whether it is too much. */
interface Suspect {
  mailingId: number;
  /** Since when it is started; nothing older counts. */
  statusSince: Date;
  code: MailingCode;
  /** What a server said, or the domain of most of those who complained. */
  text: string;
  /** Only letters to this provider, or domain, count; null: all. */
  place: string | null;
  n: number;
}

interface Sent {
  place: string;
  letters: number;
}

/** SQL: the provider that takes the mail of the delivery `d`, else its domain. */
const PLACE = `coalesce(nullif(p.provider, 'other'), ${domainOf('d.email')})`;
const PROVIDER = `LEFT JOIN domain_providers p ON p.domain = ${domainOf('d.email')}`;

/** SQL: those of the mailings $1 (null: of all), in any order, so that what one look does not get to, a later one does. */
const SUSPECTS = `
  WITH returned AS (
    SELECT e.id, e.mailing_id, m.status_since, e.kind, e.reason, e.reply, ${domainOf('d.email')} AS domain,
           ${PLACE} AS place
      FROM mailings m JOIN delivery_events e ON e.mailing_id = m.id JOIN deliveries d ON d.id = e.delivery_id ${PROVIDER}
     WHERE m.status = 'started' AND m.deleted_at IS NULL AND ($1::bigint[] IS NULL OR m.id = ANY($1))
       AND e.kind IN ('complained', 'soft_bounced')
       AND e.created_at > app_now() - interval '1 day' AND e.created_at > m.status_since
       AND (e.kind = 'complained' OR (e.blame = 'sender' AND e.reason = ANY($2::text[])
                                      AND e.created_at > app_now() - interval '1 hour')))
  SELECT * FROM (
    SELECT mailing_id, status_since, 'complaint_rate' AS code, mode() WITHIN GROUP (ORDER BY domain) AS text, place,
           count(*) AS n
      FROM returned WHERE kind = 'complained' GROUP BY mailing_id, status_since, place
    HAVING count(*) >= ${COMPLAINTS_MIN}
    UNION ALL
    SELECT mailing_id, status_since, reason, left((array_agg(coalesce(reply, reason) ORDER BY id DESC))[1], 500),
           NULL, count(*)
      FROM returned WHERE kind = 'soft_bounced' GROUP BY mailing_id, status_since, reason
    HAVING count(*) >= ${FAULTS_MIN} AND count(DISTINCT domain) >= ${FAULT_DOMAINS}) suspects
   ORDER BY random() LIMIT ${CLOSELY}`;

/**
 * SQL: how many letters the mailing $1 sent within a day, by provider or domain. Their number is known for each quarter of
 * an hour; the domains are those of a sample, whose letters are evenly spread over the quarter's, because a file may be sorted by
 * domain. A mailing that is no larger than the sample is counted.
 */
const SENT = `
  WITH quarters AS MATERIALIZED (
    SELECT bucket_at, bucket_at + interval '15 minutes' AS ends_at, sum(attempts_ok) AS letters,
           ceil(${SAMPLE} * sum(attempts_ok) / sum(sum(attempts_ok)) OVER ()) AS looks
      FROM stats WHERE mailing_id = $1 AND bucket_at > app_now() - interval '1 day'
     GROUP BY bucket_at HAVING sum(attempts_ok) > 0),
  -- The mailing's first and last attempt in each, and how far those of the sample are apart.
  spans AS MATERIALIZED (
    SELECT q.*, own.first, own.last, greatest(1, (own.last - own.first + 1) / q.looks)::bigint AS step
      FROM quarters q, LATERAL (
        SELECT min(a.id) AS first, max(a.id) AS last FROM attempts a
         WHERE a.mailing_id = $1
           AND a.id >= (SELECT f.id FROM attempts f WHERE f.created_at >= q.bucket_at ORDER BY f.created_at LIMIT 1)
           AND a.id <= (SELECT l.id FROM attempts l WHERE l.created_at < q.ends_at ORDER BY l.created_at DESC LIMIT 1)
        ) own),
  sample AS (
    SELECT s.bucket_at, s.letters, ${PLACE} AS place
      FROM spans s, generate_series(s.first, s.last, s.step) AS from_id, LATERAL (
        SELECT a.delivery_id, a.status, a.created_at FROM attempts a
         WHERE a.mailing_id = $1 AND a.id >= from_id AND a.id < from_id + s.step ORDER BY a.id LIMIT 1) a
      JOIN deliveries d ON d.id = a.delivery_id ${PROVIDER}
     WHERE a.status = 'ok' AND a.created_at >= s.bucket_at AND a.created_at < s.ends_at)
  SELECT place, round(sum(letters::float8 / n))::bigint AS letters
    FROM (SELECT place, letters, count(*) OVER (PARTITION BY bucket_at) AS n FROM sample) s GROUP BY place`;

/**
 * Pauses mailings about whose letters too many people complain, or too many of whose letters come back by our own
 * fault. Letters are counted once what came back is committed, so that none is missed of those that are judged side by
 * side; after a crash, or when counting took too long, the sweeper does it.
 */
@Injectable()
export class ReturnWatch {
  private readonly noted = new Set<number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly failures: Repeated;

  constructor(
    private readonly database: Database,
    private readonly lifecycle: LifecycleService,
    logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  /** What came back about a letter of this mailing is committed. */
  note(mailingId: number, { kind, blame }: Pick<InboundVerdict, 'kind' | 'blame'>): void {
    if (kind !== 'complaint' && blame !== 'sender') return;
    this.noted.add(mailingId);
    this.timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Looks at the mailings that were noted. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ids = [...this.noted];
    this.noted.clear();
    if (ids.length > 0) await this.look(ids);
  }

  /** Looks at these mailings, or at all. Never throws. */
  async look(mailingIds: number[] | null = null): Promise<void> {
    const until = performance.now() + LOOK_MS;
    await this.orSay({}, async () => {
      const found = await this.count<Suspect>(SUSPECTS, [mailingIds, OUR_FAULTS], until);
      for (const mailingId of new Set(found.map((suspect) => suspect.mailingId))) {
        if (performance.now() > until) throw new Error(TOO_LONG);
        const suspects = found.filter((suspect) => suspect.mailingId === mailingId);
        await this.orSay({ mailingId }, () => this.lookAt(mailingId, suspects, until));
      }
    });
  }

  private async lookAt(mailingId: number, suspects: Suspect[], until: number): Promise<void> {
    const sent = await this.count<Sent>(SENT, [mailingId], until);
    const found = suspects.find((suspect) => isTooMuch(suspect, sent));
    if (found) await this.lifecycle.park(mailingId, found.code, found.text, found.statusSince);
  }

  private async count<Row>(sql: string, params: unknown[], until: number): Promise<Row[]> {
    const ms = Math.max(1, Math.min(COUNT_MS, Math.ceil(until - performance.now())));
    const counted = await within(this.database, ms, (within) => within.rows<Row>(sql, params));
    if (!counted) throw new Error(TOO_LONG);
    return counted.value;
  }

  /** What fails for one mailing does not keep the others from being looked at. */
  private async orSay(about: { mailingId?: number }, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failures.warn(
        { event: 'returns.not_counted', reason: (error as Error).message, ...about },
        'Letters that came back were not counted; the sweeper will do it',
      );
    }
  }
}

function isTooMuch({ place, n }: Suspect, sent: Sent[]): boolean {
  const [share, min] = place === null ? [FAULT_SHARE, 0] : [COMPLAINT_SHARE, SENT_MIN];
  const letters = sent
    .filter((each) => place === null || each.place === place)
    .reduce((sum, each) => sum + each.letters, 0);
  return letters >= min && letters * share <= n;
}
