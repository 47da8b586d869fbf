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

/** How long letters that came back are collected before they are counted, and how long each statement may count. */
const GATHER_MS = 500;
const COUNT_MS = 2_000;
/** So many mailings are looked at more closely at a time. */
const CLOSELY = 100;

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
  code: MailingCode;
  /** What a server said, or the domain of those who complained. */
  text: string;
  /** Only letters to this domain count; null: all. */
  domain: string | null;
  n: number;
}

/** SQL: those of the mailings $1 (null: of all), since each was started last. */
const SUSPECTS = `
  WITH returned AS (
    SELECT e.id, e.mailing_id, e.kind, e.reason, e.reply, ${domainOf('d.email')} AS domain
      FROM mailings m JOIN delivery_events e ON e.mailing_id = m.id JOIN deliveries d ON d.id = e.delivery_id
     WHERE m.status = 'started' AND ($1::bigint[] IS NULL OR m.id = ANY($1))
       AND e.kind IN ('complained', 'soft_bounced')
       AND e.created_at > greatest(m.status_since, app_now() - interval '1 day')
       AND (e.kind = 'complained' OR (e.blame = 'sender' AND e.reason = ANY($2::text[])
                                      AND e.created_at > app_now() - interval '1 hour')))
  SELECT mailing_id, 'complaint_rate' AS code, domain AS text, domain, count(*) AS n
    FROM returned WHERE kind = 'complained' GROUP BY mailing_id, domain HAVING count(*) >= ${COMPLAINTS_MIN}
  UNION ALL
  SELECT mailing_id, reason, left((array_agg(coalesce(reply, reason) ORDER BY id DESC))[1], 500), NULL, count(*)
    FROM returned WHERE kind = 'soft_bounced' GROUP BY mailing_id, reason
  HAVING count(*) >= ${FAULTS_MIN} AND count(DISTINCT domain) >= ${FAULT_DOMAINS}
   ORDER BY n DESC LIMIT ${CLOSELY}`;

/** SQL: how many letters the mailing $1 sent within a day to the domain $2 (null: to all), counted up to $3. */
const SENT = `
  SELECT count(*) AS n FROM (
    SELECT FROM attempts a WHERE a.mailing_id = $1 AND a.status = 'ok' AND a.created_at > app_now() - interval '1 day'
       AND ($2::text IS NULL
            OR EXISTS (SELECT FROM deliveries d WHERE d.id = a.delivery_id AND ${domainOf('d.email')} = $2))
     LIMIT $3) letters`;

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
    try {
      const found = await within(this.database, COUNT_MS, (sql) =>
        sql.rows<Suspect>(SUSPECTS, [mailingIds, OUR_FAULTS]),
      );
      for (const suspect of found?.value ?? [])
        if (await this.isTooMuch(suspect)) await this.lifecycle.park(suspect.mailingId, suspect.code, suspect.text);
    } catch (error) {
      this.failures.warn(
        { event: 'returns.not_counted', reason: (error as Error).message },
        'Letters that came back were not counted; the sweeper will do it',
      );
    }
  }

  /** Letters are counted only as far as it matters. */
  private async isTooMuch({ mailingId, domain, n }: Suspect): Promise<boolean> {
    const [share, min] = domain === null ? [FAULT_SHARE, 0] : [COMPLAINT_SHARE, SENT_MIN];
    const enough = Math.floor(n / share) + 1;
    const sent = await within(this.database, COUNT_MS, (sql) =>
      sql.first<{ n: number }>(SENT, [mailingId, domain, enough]),
    );
    const letters = sent?.value?.n;
    return letters !== undefined && letters >= min && letters < enough;
  }
}
