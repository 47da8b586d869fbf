import { Inject, Injectable } from '@nestjs/common';
import { domainToASCII } from 'node:url';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { Dns } from '../../dns/dns';
import type { Answer } from '../../domain/lookup';
import { type MailProvider, providerOfDomain, providerOfMx } from '../../domain/mail-providers';
import { MOVE_TO_PROVIDERS } from './provider-counts.service';

/** So many domains are looked up in one round, and so many of them at a time. */
const DOMAINS = 200;
const AT_ONCE = 20;
/** After so many questions without an answer a domain counts as `other`, until there is one. */
const TRIES = 5;

/** What is known of a domain after it was looked up; `provider` null: nothing yet. */
interface Found {
  domain: string;
  provider: MailProvider | null;
  mx: string | null;
  isAnswered: boolean;
}

/** Finds out who takes the mail of domains that letters went to: each is asked about once, and again after 30 days. */
@Injectable()
export class ProviderLookup {
  private readonly dns: Dns;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: Pick<Config, 'dnsServers'>,
  ) {
    this.dns = new Dns(config.dnsServers);
  }

  /** Looks up some of those that are due. @returns how many */
  async look(): Promise<number> {
    const due = await this.database.rows<{ domain: string; provider: MailProvider | null; tries: number }>(
      `SELECT domain, provider, tries FROM domain_providers WHERE next_check_at <= app_now()
        ORDER BY next_check_at LIMIT ${DOMAINS}`,
    );
    const found: Found[] = [];
    for (let at = 0; at < due.length; at += AT_ONCE)
      found.push(...(await Promise.all(due.slice(at, at + AT_ONCE).map((each) => this.find(each)))));
    if (found.length > 0) await this.note(found);
    return found.length;
  }

  private async find(known: { domain: string; provider: MailProvider | null; tries: number }): Promise<Found> {
    const { domain } = known;
    const own = providerOfDomain(domain);
    if (own) return { domain, provider: own, mx: null, isAnswered: true };
    const name = domainToASCII(domain);
    const hosts: Answer = name === '' ? [] : await this.dns.mx(name);
    if (hosts) return { domain, provider: providerOfMx(hosts), mx: hosts[0] ?? null, isAnswered: true };
    return {
      domain,
      provider: known.provider ?? (known.tries + 1 >= TRIES ? 'other' : null),
      mx: null,
      isAnswered: false,
    };
  }

  /** A domain without MX may have one tomorrow; one whose servers are silent is asked about in ever longer intervals. */
  private note(found: Found[]): Promise<unknown> {
    const known = found.filter(({ provider }) => provider !== null);
    return this.database.transaction(async (tx) => {
      // What is being counted goes by what is known of domains.
      await tx.first('SELECT id FROM provider_counting FOR UPDATE');
      await tx.affected(
        `UPDATE domain_providers p SET provider = f.provider, mx = CASE WHEN f.answered THEN f.mx ELSE p.mx END,
                tries = CASE WHEN f.answered THEN 0 ELSE least(p.tries + 1, 100) END, checked_at = app_now(),
                next_check_at = app_now() + CASE
                  WHEN NOT f.answered THEN least(interval '1 day', interval '10 minutes' * 2 ^ least(p.tries, 8))
                  WHEN f.mx IS NULL AND f.provider = 'other' THEN interval '1 day'
                  ELSE interval '30 days' END
           FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS f(domain, provider, mx, answered)
          WHERE p.domain = f.domain`,
        [
          found.map(({ domain }) => domain),
          found.map(({ provider }) => provider),
          found.map(({ mx }) => mx),
          found.map(({ isAnswered }) => isAnswered),
        ],
      );
      await tx.affected(MOVE_TO_PROVIDERS, [known.map(({ domain }) => domain), known.map(({ provider }) => provider)]);
    });
  }
}
