import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Transaction } from '../../database/database';
import { type DomainLetters, outages } from '../../domain/suppression';
import { Repeated } from '../../logging/repeated';
import { domainOf, OF_ANSWERS } from './suppression-sql';

/** After so many hard bounces of its own a worker looks at all of them. */
const LOOK_EACH = 10;
/** So many of the hour's letters are looked at, and of each domain so many refused addresses, and no more often. */
const SAMPLE = 20_000;
const CLOSELY = 500;
const PAUSE_MS = 5_000;
const ENOUGH = 50;
const WINDOW = `interval '1 hour'`;
/** Monthly mailings are further apart than 30 days. */
const LATELY = `interval '40 days'`;

/**
 * Recognises mail servers that suddenly refuse many addresses as if they did not exist (Gmail did so for seven hours in
 * December 2020), and undoes the suppressions that followed from it. As long as it lasts no further ones are made
 * (`suppressBounced`); somebody decides about them later.
 */
@Injectable()
export class Outages {
  private bounces = 0;
  /** When the letters were looked at (`performance.now()`). */
  private lookedAt = -Infinity;
  private looking: Promise<void> | undefined;
  private readonly failures: Repeated;

  constructor(
    private readonly database: Database,
    private readonly logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  /** A hard bounce was recorded. Never throws. */
  async note(): Promise<void> {
    if (++this.bounces % LOOK_EACH === 0 && performance.now() - this.lookedAt > PAUSE_MS) await this.look();
  }

  /** Looks at the letters of the last hour. Never throws. */
  look(): Promise<void> {
    return (this.looking ??= this.lookOnce()
      .catch((error: unknown) =>
        this.failures.warn(
          { event: 'bounces.not_looked_at', reason: (error as Error).message },
          'It was not found out whether a mail server refuses everybody',
        ),
      )
      .finally(() => (this.looking = undefined)));
  }

  private async lookOnce(): Promise<void> {
    const lately = await this.database.first<{ n: number }>(
      `SELECT count(*) AS n FROM (
         SELECT FROM suppressions WHERE ${OF_ANSWERS} AND created_at > app_now() - ${WINDOW} LIMIT ${ENOUGH}) s`,
    );
    if ((lately?.n ?? 0) < ENOUGH) return;
    this.lookedAt = performance.now();
    for (const outage of outages(await this.letters())) {
      const isNew = await this.database.transaction((tx) => hold(tx, outage));
      if (!isNew) continue;
      this.logger.warn(
        { event: 'bounces.held', ...outage },
        'A mail server suddenly refuses many addresses; they are not suppressed until somebody decides about them',
      );
    }
  }

  /**
   * Of the last hour, for each domain: its addresses that were refused for good, which are few and stand among the
   * suppressions, also when they were withheld; and its letters that were taken, estimated from a sample of the hour's
   * letters, of which there may be a million.
   */
  private letters(): Promise<DomainLetters[]> {
    return this.database.rows<DomainLetters>(
      `WITH
       -- The addresses that were refused, by domain; of each at most so many are looked at more closely.
       refused AS MATERIALIZED (
         SELECT s.email_key, s.delivery_id, ${domainOf('s.email_key')} AS domain,
                row_number() OVER (PARTITION BY ${domainOf('s.email_key')} ORDER BY s.id DESC) AS nth
           FROM (SELECT DISTINCT ON (email_key) id, email_key, delivery_id FROM suppressions
                  WHERE ${OF_ANSWERS} AND created_at > app_now() - ${WINDOW} AND email_key IS NOT NULL
                  ORDER BY email_key, id DESC) s),
       -- Their numbers, and how many of them took mail lately.
       domains AS MATERIALIZED (
         SELECT domain, count(*) AS refused,
                count(*) * avg(CASE WHEN nth > ${CLOSELY} THEN NULL WHEN EXISTS (
                  SELECT FROM deliveries d JOIN deliveries o ON o.client_id = d.client_id
                   WHERE d.id = refused.delivery_id AND o.id <> d.id AND lower(o.email) = refused.email_key
                     AND o.status = 'sent' AND NOT EXISTS (
                       SELECT FROM delivery_events e WHERE e.delivery_id = o.id AND e.kind = 'bounced')
                     AND o.run_id >= (SELECT min(id) FROM runs WHERE created_at > app_now() - ${LATELY}))
                  THEN 1 ELSE 0 END) AS took_mail
           FROM refused GROUP BY domain),
       -- The hour's attempts by their ids, and how far those of the sample are apart.
       hour AS MATERIALIZED (
         SELECT first, last, greatest(1, (last - first + 1) / ${SAMPLE}) AS step FROM (
           SELECT (SELECT f.id FROM attempts f WHERE f.created_at >= app_now() - ${WINDOW}
                    ORDER BY f.created_at LIMIT 1) AS first,
                  (SELECT max(id) FROM attempts) AS last) ids),
       taken AS MATERIALIZED (
         SELECT ${domainOf('d.email')} AS domain, count(*) * max(hour.step) AS letters
           FROM hour, generate_series(hour.first, hour.last, hour.step) n
           JOIN attempts a ON a.id = n AND a.status = 'ok' JOIN deliveries d ON d.id = a.delivery_id
          GROUP BY 1)
       SELECT d.domain, d.refused::int AS refused, round(d.took_mail)::int AS took_mail,
              coalesce(t.letters, 0)::int AS accepted
         FROM domains d LEFT JOIN taken t USING (domain)
       UNION ALL
       -- All other domains, which refused nobody.
       SELECT '', 0, 0, coalesce(sum(letters), 0)::int FROM taken WHERE domain NOT IN (SELECT domain FROM domains)`,
    );
  }
}

/**
 * Withholds the suppressions of an outage, those that were made already and those to come. If somebody decided before
 * that these addresses are suppressed, they stay so.
 * @returns whether it was not known yet
 */
async function hold(
  tx: Transaction,
  { domain, refused, accepted }: { domain: string | null; refused: number; accepted: number },
): Promise<boolean> {
  const known = await tx.first<{ id: number; decision: string | null }>(
    `SELECT id, decision FROM suppression_batches
      WHERE kind = 'outage' AND domain IS NOT DISTINCT FROM $1
        AND until > app_now() - CASE WHEN decision = 'suppressed' THEN interval '1 day' ELSE interval '0' END
      ORDER BY id DESC LIMIT 1 FOR UPDATE`,
    [domain],
  );
  if (known?.decision === 'suppressed') return false;
  const batch = known
    ? await tx.first<{ id: number }>(
        `UPDATE suppression_batches SET until = app_now() + ${WINDOW}, refused = $2, accepted = $3
          WHERE id = $1 RETURNING id`,
        [known.id, refused, accepted],
      )
    : await tx.first<{ id: number }>(
        `INSERT INTO suppression_batches (kind, domain, refused, accepted, until)
         VALUES ('outage', $1, $2, $3, app_now() + ${WINDOW})
         ON CONFLICT (domain) WHERE kind = 'outage' AND decision IS NULL DO UPDATE
           SET until = excluded.until, refused = excluded.refused, accepted = excluded.accepted RETURNING id`,
        [domain, refused, accepted],
      );
  await tx.affected(
    `UPDATE suppressions SET lifted_at = app_now(), lift_reason = 'outage', batch_id = $1
      WHERE ${OF_ANSWERS} AND created_at > app_now() - ${WINDOW} AND lifted_at IS NULL
        AND batch_id IS NULL AND ($2::text IS NULL OR ${domainOf('email_key')} = $2)`,
    [batch?.id, domain],
  );
  return known === undefined;
}
