import { Injectable } from '@nestjs/common';
import { within } from '../../database/bounded';
import { Database } from '../../database/database';
import { type MailProvider, type ProviderCounts, providerCountNames } from '../../domain/mail-providers';
import type { SuppressionReason } from '../../domain/suppression';
import { FAILURES_MAX } from '../inbound/inbound-judge.service';

/** What came in and is not judged: how many, and for how long the oldest has waited that will be judged by itself. */
export interface InboundWaiting {
  waiting: number;
  failed: number;
  givenUp: number;
  oldestSeconds: number;
}

/** The suppressions in force are counted so often at most, and no longer than this. */
const KEPT_MS = 60_000;
const COUNT_MS = 2_000;

/** Numbers about what comes back, of everybody: few labels, whatever the number of owners, addresses and domains. */
@Injectable()
export class ReturnNumbers {
  private suppressed: { at: number; rows: Promise<{ reason: SuppressionReason; n: number }[]> } | undefined;

  constructor(private readonly database: Database) {}

  /** Letters that came in during the last 24 hours, by what they are (`waiting`: not judged yet) and the way they came. */
  inbound(): Promise<{ kind: string; source: string; n: number }[]> {
    return this.database.rows(
      `SELECT coalesce(kind, 'waiting') AS kind, source, count(*) AS n FROM inbound_letters
        WHERE received_at > app_now() - interval '1 day' GROUP BY 1, 2`,
    );
  }

  async waiting(): Promise<InboundWaiting> {
    const row = await this.database.first<InboundWaiting>(
      `SELECT count(*) FILTER (WHERE problem IS NULL) AS waiting,
              count(*) FILTER (WHERE problem IS NOT NULL AND failures < ${FAILURES_MAX}) AS failed,
              count(*) FILTER (WHERE problem IS NOT NULL AND failures >= ${FAILURES_MAX}) AS given_up,
              greatest(0, coalesce(extract(epoch FROM app_now() - min(received_at)
                FILTER (WHERE problem IS NULL OR failures < ${FAILURES_MAX})), 0))::float8 AS oldest_seconds
         FROM inbound_letters WHERE judged_at IS NULL`,
    );
    return row!;
  }

  /** Suppressions in force, by reason, at most a minute old; none if counting them took too long. */
  suppressions(): Promise<{ reason: SuppressionReason; n: number }[]> {
    const now = performance.now();
    if (!this.suppressed || now - this.suppressed.at > KEPT_MS) {
      const rows = this.countSuppressions();
      this.suppressed = { at: now, rows };
      rows.catch(() => (this.suppressed = undefined));
    }
    return this.suppressed.rows;
  }

  /** What became of letters during the last 24 hours, by provider, and how far that is counted. */
  async providers(): Promise<{ provider: MailProvider; name: keyof ProviderCounts; n: number }[]> {
    const rows = await this.database.rows<ProviderCounts & { provider: MailProvider }>(
      `SELECT provider, sum(sent)::bigint AS sent, sum(refused)::bigint AS refused, sum(deferred)::bigint AS deferred,
              sum(bounced)::bigint AS bounced, sum(soft_bounced)::bigint AS soft_bounced,
              sum(complained)::bigint AS complained
         FROM provider_stats WHERE bucket_at > app_now() - interval '1 day' GROUP BY provider`,
    );
    return rows.flatMap((row) => providerCountNames.map((name) => ({ provider: row.provider, name, n: row[name] })));
  }

  /** How old what is counted by provider is, in seconds; null: nothing was counted yet. */
  async countedAgo(): Promise<number | null> {
    const row = await this.database.first<{ ago: number | null }>(
      `SELECT extract(epoch FROM app_now() - counted_until)::float8 AS ago FROM provider_counting`,
    );
    return row?.ago ?? null;
  }

  private async countSuppressions(): Promise<{ reason: SuppressionReason; n: number }[]> {
    const counted = await within(this.database, COUNT_MS, (sql) =>
      sql.rows<{ reason: SuppressionReason; n: number }>(
        `SELECT reason, count(*) AS n FROM suppressions
          WHERE lifted_at IS NULL AND (expires_at IS NULL OR expires_at > app_now()) GROUP BY reason`,
      ),
    );
    return counted?.value ?? [];
  }
}
