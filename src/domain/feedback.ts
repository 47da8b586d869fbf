import { isAligned } from './dmarc';
import { emailDomain } from './email-address';
import type { Identity } from './identity';
import type { MailingKind } from './suppression';

/** What Gmail counts complaints by. */
export interface FeedbackOf {
  mailingId: number;
  ownerId: number;
  kind: MailingKind;
}

const SENDER_ID = { min: 5, max: 15 };

/**
 * The value of Feedback-ID: mailing, owner, kind, and the sender in the last field, which has to stay the same and to
 * have 5 to 15 characters (support.google.com/a/answer/6254652). The letters before the numbers keep fields from being
 * the same.
 */
export const feedbackId = ({ mailingId, ownerId, kind }: FeedbackOf, senderId: string): string =>
  `m${mailingId}:o${ownerId}:${kind}:${senderId}`;

/** A sender's id made of a domain. */
export function senderIdOf(domain: string): string {
  const id = domain.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return (id.length < SENDER_ID.min ? `${id}-mail` : id).slice(0, SENDER_ID.max);
}

/**
 * Whether letters may name this address for complaints: it is of From's domain or of one below it, and a signature
 * vouches for From (RFC 9477 3.1.1, 3.1.2). An address of anybody else would need a signature of theirs.
 */
export function mayNameForComplaints(address: string, { domain, dkim }: Pick<Identity, 'domain' | 'dkim'>): boolean {
  const at = emailDomain(address);
  return (at === domain || at.endsWith(`.${domain}`)) && dkim.some((key) => isAligned(key.domain, domain, false));
}
