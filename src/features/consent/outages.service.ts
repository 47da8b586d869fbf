import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Transaction } from '../../database/database';
import { type DomainLetters, outages } from '../../domain/suppression';
import { Repeated } from '../../logging/repeated';
import { domainOf, isHardBounce } from './suppression-sql';

/** After so many hard bounces of its own a worker looks at all of them. */
const LOOK_EACH = 10;
/** So many of the last letters are looked at. */
const SAMPLE = 20_000;
const ENOUGH = 50;
const WINDOW = `interval '1 hour'`;

/**
 * Recognises mail servers that suddenly refuse many addresses as if they did not exist (Gmail did so for seven hours in
 * December 2020), and undoes the suppressions that followed from it. As long as it lasts no further ones are made
 * (`suppressBounced`); somebody decides about them later.
 */
@Injectable()
export class Outages {
  private bounces = 0;
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
    if (++this.bounces % LOOK_EACH === 0) await this.look();
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
         SELECT FROM suppressions WHERE source = 'smtp' AND created_at > app_now() - ${WINDOW} LIMIT ${ENOUGH}) s`,
    );
    if ((lately?.n ?? 0) < ENOUGH) return;
    for (const outage of outages(await this.letters())) {
      const isNew = await this.database.transaction((tx) => hold(tx, outage));
      if (!isNew) continue;
      this.logger.warn(
        { event: 'bounces.held', ...outage },
        'A mail server suddenly refuses many addresses; they are not suppressed until somebody decides about them',
      );
    }
  }

  private letters(): Promise<DomainLetters[]> {
    return this.database.rows<DomainLetters>(
      `WITH letters AS MATERIALIZED (
         SELECT d.client_id, d.email, ${domainOf('d.email')} AS domain, a.refused
           FROM (SELECT delivery_id, created_at, status = 'ok' AS taken, ${isHardBounce({
             status: 'status',
             reason: 'reason',
             refusal: 'refusal',
           })} AS refused FROM attempts ORDER BY id DESC LIMIT ${SAMPLE}) a
           JOIN deliveries d ON d.id = a.delivery_id
          WHERE a.created_at > app_now() - ${WINDOW} AND (a.taken OR a.refused))
       SELECT domain, count(DISTINCT email) FILTER (WHERE NOT refused) AS accepted,
              count(DISTINCT email) FILTER (WHERE refused) AS refused, count(DISTINCT email) FILTER (WHERE CASE WHEN refused THEN EXISTS (
                SELECT FROM deliveries o WHERE o.client_id = l.client_id AND o.email = l.email AND o.status = 'sent'
                   AND o.updated_at > app_now() - interval '30 days') END) AS took_mail
         FROM letters l GROUP BY domain`,
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
      WHERE kind = 'outage' AND domain IS NOT DISTINCT FROM $1 AND until > app_now() - interval '1 day'
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
      WHERE source = 'smtp' AND created_at > app_now() - ${WINDOW} AND reason = 'hard_bounce' AND lifted_at IS NULL
        AND batch_id IS NULL AND ($2::text IS NULL OR ${domainOf('email_key')} = $2)`,
    [batch?.id, domain],
  );
  return known === undefined;
}
