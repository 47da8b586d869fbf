import type { InboundReason } from './inbound-decision';
import { header, headerAddress, type ReadLetter } from './read-letter';

type Headers = Pick<ReadLetter, 'headers'>;

/** Where servers write to which address they delivered a letter, and after them where its sender wrote it. */
const RECIPIENT = [
  'delivered-to',
  'x-original-to',
  'x-envelope-to',
  'envelope-to',
  'x-delivered-to',
  'x-rcpt-to',
  'apparently-to',
  'to',
  'cc',
];
const RECIPIENTS = 20;
const ADDRESS = /[^\s\0<>()[\]{}"',;:]{1,64}@[a-z0-9.-]{1,255}/gi;

/** The addresses to which a letter in a mailbox may have come, those that servers wrote first. */
export function recipientsOf(letter: Headers): string[] {
  const found = new Set<string>();
  const values = [
    ...RECIPIENT.slice(0, 6).flatMap((name) => letter.headers.get(name) ?? []),
    ...(letter.headers.get('received') ?? []).map((value) => /\bfor\s+(<[^<>\s]{1,320}>)/i.exec(value)?.[1] ?? ''),
    ...RECIPIENT.slice(6).flatMap((name) => letter.headers.get(name) ?? []),
  ];
  for (const value of values) {
    for (const [address] of value.matchAll(ADDRESS)) {
      found.add(address);
      if (found.size >= RECIPIENTS) return [...found];
    }
  }
  return [...found];
}

/** The envelope sender, '' for the null one; if no server wrote it down, the address in From. */
export function returnPathOf(letter: Headers): string {
  const path = header(letter, 'return-path');
  if (path === '') return headerAddress(letter, 'from');
  return /<([^<>\s]{0,320})>/.exec(path)?.[1] ?? (/^[^\s<>]{1,320}$/.exec(path)?.[0] || '');
}

/** Letters of people, and of others' programs: they are theirs, not ours. */
const OTHERS: ReadonlySet<InboundReason> = new Set([
  'human',
  'not_a_report',
  'not_ours',
  'unreadable',
  'dmarc_report',
  'tls_report',
]);

/**
 * Whether a letter in a mailbox that others read, too, is for us: a report, a complaint, an automatic answer about a
 * letter of ours, a wish to unsubscribe, or a proof letter. Anything else is left as it is.
 * @param isMatched whether the letter of ours that it is about is known
 */
export function isForUs(outer: Headers, reason: InboundReason, isMatched: boolean): boolean {
  // A copy of a mailing: the mailbox is itself among the recipients, or on another list.
  const isMailing = outer.headers.has('list-unsubscribe') && !/report/i.test(header(outer, 'content-type'));
  return isMatched && (reason === 'proof' || !isMailing) && !OTHERS.has(reason);
}
