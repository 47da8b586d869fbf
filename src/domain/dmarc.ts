import { getDomain } from 'tldts';
import type { Answer } from './lookup';
import { recordTags } from './record-tags';

/** What a domain asks of receivers (RFC 7489). */
export interface Dmarc {
  /** Where it was found: the domain's, else that of its organisational domain. */
  name: string;
  /** The DMARC records there. There must be one. */
  records: readonly string[];
  /** What is to become of letters that fail; null if the record can't be used. */
  policy: 'none' | 'quarantine' | 'reject' | null;
  /** Whether the domain of the signature, of the envelope, has to be the same as From's, not just of one organisation. */
  strictDkim: boolean;
  strictSpf: boolean;
}

/** A record that can't do harm: it asks for nothing but to be known. */
export const DMARC_RECORD = 'v=DMARC1; p=none';

/** The part of a name that somebody registered, by the public suffix list; the name itself if it is a suffix. */
export const organisationOf = (domain: string): string =>
  getDomain(domain, { allowPrivateDomains: true, validateHostname: false }) ?? domain.toLowerCase();

/** Whether a domain vouches for another one (RFC 7489 3.1). */
export const isAligned = (domain: string, from: string, strict: boolean): boolean =>
  domain.toLowerCase() === from.toLowerCase() || (!strict && organisationOf(domain) === organisationOf(from));

/**
 * The DMARC record of a domain, else that of its organisational domain (RFC 7489 6.6.3).
 * @returns undefined if there is none; null if nobody answered
 */
export async function readDmarc(
  domain: string,
  txt: (name: string) => Promise<Answer>,
): Promise<Dmarc | undefined | null> {
  const organisation = organisationOf(domain);
  for (const at of new Set([domain.toLowerCase(), organisation])) {
    const name = `_dmarc.${at}`;
    const answer = await txt(name);
    if (answer === null) return null;
    const records = answer.filter((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text));
    if (records.length > 0) return { name, records, ...policyOf(records, at === domain.toLowerCase()) };
  }
  return undefined;
}

/** A record without a policy that is known counts as `none` if it asks for reports, else as no record. */
function policyOf(records: string[], isOwn: boolean): Pick<Dmarc, 'policy' | 'strictDkim' | 'strictSpf'> {
  const tags = recordTags(records[0]!);
  const known = (text: string | undefined) => POLICIES.find((policy) => policy === text?.toLowerCase());
  const asked = known((isOwn ? undefined : tags.get('sp')) ?? tags.get('p'));
  const policy = asked ?? (/^mailto:/i.test(tags.get('rua') ?? '') ? 'none' : null);
  return {
    policy: records.length === 1 ? policy : null,
    strictDkim: tags.get('adkim')?.toLowerCase() === 's',
    strictSpf: tags.get('aspf')?.toLowerCase() === 's',
  };
}

const POLICIES = ['none', 'quarantine', 'reject'] as const;
