import type { PinoLogger } from 'nestjs-pino';
import type { Database } from '../../database/database';
import { untilAnswered } from '../../database/wait';
import { emailDomain } from '../../domain/email-address';
import { storable } from '../../domain/storable';

/** A domain to which no letters go for `restMs`; `detail` is what it answered. */
export interface DomainRest {
  domain: string;
  detail: string;
  restMs: number;
}

/** Domains that rest because their provider said that we send too fast; shared by all workers. */
export class DomainRests {
  private until = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly restForMs: number,
    private readonly logger: PinoLogger,
  ) {}

  /** How long a letter to this address has to wait, in milliseconds; 0 if it may go. */
  restMs(email: string): number {
    const until = this.until.size > 0 ? this.until.get(emailDomain(email)) : undefined;
    return until === undefined ? 0 : Math.max(0, until - performance.now());
  }

  /** No letters to the domain for the configured time. The other workers learn of it if Postgres can be reached. */
  async begin(domain: string, detail: string): Promise<void> {
    this.until.set(domain, performance.now() + this.restForMs);
    const write = () =>
      this.database.affected(
        `INSERT INTO domain_rests (domain, until_at, detail)
          VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond', $3)
         ON CONFLICT (domain) DO UPDATE SET until_at = excluded.until_at, detail = excluded.detail`,
        [domain, this.restForMs, storable(detail).slice(0, 500)],
      );
    await untilAnswered(write).catch((error: unknown) =>
      this.logger.warn(
        { event: 'domain.rest_not_written', domain, reason: (error as Error).message },
        'The other workers were not told that the domain rests',
      ),
    );
  }

  /**
   * Learns of the rests that other workers began. @returns those that are new here and began because all letters got the
   * same refusal; a rest because we send too fast is none of these
   */
  async refresh(): Promise<DomainRest[]> {
    const rows = await this.database.rows<{ domain: string; detail: string; restMs: string; isAlike: boolean }>(
      `SELECT domain, detail, extract(epoch FROM until_at - clock_timestamp()) * 1000 AS rest_ms,
              EXISTS (SELECT FROM attempts a WHERE a.refusal = r.detail) AS is_alike
         FROM domain_rests r WHERE until_at > clock_timestamp()`,
    );
    const known = this.until;
    const rests = rows.map((row) => ({ ...row, restMs: Number(row.restMs) }));
    this.until = new Map(rests.map(({ domain, restMs }) => [domain, performance.now() + restMs]));
    return rests.filter(({ domain, isAlike }) => isAlike && (known.get(domain) ?? 0) < performance.now());
  }
}
