import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { isPrivate } from '../../config/private-host';
import { Dns, inTime } from '../../dns/dns';
import { parseReturnAddress } from '../../domain/bounce-address';
import { mayNameForComplaints } from '../../domain/feedback';
import { type Identity, identityOf } from '../../domain/identity';
import { examineSender, type SenderFacts, type SenderSetup } from '../../domain/sender-domain';
import { parseSmtpUrl } from '../../smtp/smtp-url';

/** For so many milliseconds a page or a start waits for DNS. */
const WAIT_MS = 2_500;

/** What DNS says about the sender of all letters. Nothing waits longer for it than 2.5 seconds. */
@Injectable()
export class SenderCheck {
  private readonly dns: Dns;
  private readonly setup: SenderSetup | null;

  constructor(@Inject(CONFIG) config: Config) {
    this.dns = new Dns(config.dnsServers);
    this.setup = config.preflight === 'off' ? null : usable(() => senderSetup(config));
  }

  /** @returns null if the check is off */
  async facts(): Promise<SenderFacts | null> {
    return this.setup && examineSender(this.setup, inTime(this.dns, WAIT_MS));
  }
}

/**
 * How letters go out by the settings.
 * @param domain instead of that of MAIL_FROM
 * @throws Error, ValidationError naming the setting that is wrong
 */
export function senderSetup(config: Config, domain?: string): SenderSetup {
  const identity: Identity = { ...identityOf(config), ...(domain !== undefined && { domain }) };
  const smtp = parseSmtpUrl(config.smtpUrl);
  const { feedbackAddress: address } = config;
  return {
    domain: identity.domain,
    envelope: returnDomain(config) ?? identity.domain,
    keys: identity.dkim,
    relay: { host: smtp.host, isPrivate: isPrivate(smtp.host), needsTls: smtp.secure || smtp.requireTLS },
    complaints: address === '' ? null : { address, usable: mayNameForComplaints(address, identity) },
    ips: config.sendingIps,
  };
}

/** The domain of the envelope sender, if letters have one of their own. */
const returnDomain = ({ bounceAddress }: Config): string | undefined =>
  bounceAddress === '' ? undefined : parseReturnAddress(bounceAddress)?.domain;

/** With settings that can't be used no worker starts; the pages do without. */
function usable<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}
