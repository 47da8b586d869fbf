import { fieldsOf, type ReadLetter } from './read-letter';
import { addressForm } from './same-address';

export const reportActions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;
export type ReportAction = (typeof reportActions)[number];

/** What a delivery report says of one recipient (RFC 3464, section 2.3). */
export interface RecipientReport {
  action: ReportAction;
  /** The recipient at the reporting server, and as the letter was sent, in the form of `addressForm`; '' if not named. */
  finalRecipient: string;
  originalRecipients: string[];
  /** The enhanced status code (RFC 3463); null if there is none. */
  status: string | null;
  /** What the server said, one line for each of its lines; '' if it is not reported. */
  diagnostic: string;
}

const TYPES = /^(?:message|text)\/(?:x-?|global-)?delivery-status$/;
const NAMES_RECIPIENT = /^(?:final|original)-recipient[ \t]*:/im;
const RECIPIENTS = 200;

/** All recipients of the delivery reports in this letter (RFC 3464, RFC 6533); none if it has no such part. */
export function deliveryReports(letter: Pick<ReadLetter, 'parts' | 'text'>): RecipientReport[] {
  const named = letter.parts.filter(({ type }) => TYPES.test(type));
  const parts = named.length > 0 ? named : letter.parts.filter((part) => isReport(part));
  // Some gateways turn the report into text.
  const texts =
    parts.length > 0 ? parts.map(({ text }) => text) : NAMES_RECIPIENT.test(letter.text) ? [letter.text] : [];
  return texts.flatMap(recipientsOf).slice(0, RECIPIENTS);
}

/** A report under a wrong type. */
const isReport = ({ type, text }: { type: string; text: string }): boolean =>
  !/rfc822|^message\/global|^message\/(?:feedback-report|partial)|^image\//.test(type) &&
  NAMES_RECIPIENT.test(text.slice(0, 20_000)) &&
  /^(?:action|status)[ \t]*:/im.test(text.slice(0, 20_000));

function recipientsOf(text: string): RecipientReport[] {
  const reports: RecipientReport[] = [];
  for (const block of text.split(/\r?\n[ \t]*\r?\n/)) {
    let fields = new Map<string, string>();
    const end = () => {
      const report = reportOf(fields);
      if (report) reports.push(report);
      fields = new Map();
    };
    for (const [name, value] of fieldsOf(block)) {
      // Some servers leave no empty line between recipients.
      if (name === 'final-recipient' && fields.has(name)) end();
      if (!fields.has(name)) fields.set(name, value);
    }
    end();
    if (reports.length >= RECIPIENTS) break;
  }
  return reports;
}

function reportOf(fields: Map<string, string>): RecipientReport | null {
  const final = fields.get('final-recipient');
  const original = fields.get('original-recipient');
  if (final === undefined && original === undefined) return null;
  const status = /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(fields.get('status') ?? '')?.[1] ?? null;
  return {
    action: actionOf(fields.get('action') ?? '', status),
    finalRecipient: recipientForms(final ?? '')[0] ?? '',
    originalRecipients: recipientForms(original ?? ''),
    status,
    diagnostic: diagnosticOf(fields.get('diagnostic-code') ?? ''),
  };
}

function actionOf(text: string, status: string | null): ReportAction {
  const word = /[a-z]+/.exec(text.toLowerCase())?.[0];
  const known = reportActions.find((action) => action === word);
  if (known) return known;
  return status?.startsWith('2') ? 'delivered' : 'failed';
}

/**
 * `rfc822; address`, or `utf-8; address` (RFC 6533, section 3), as it stands there and with its escapes decoded:
 * whether `+2B` is one (xtext, RFC 3461 section 4) can't be seen.
 */
function recipientForms(field: string): string[] {
  const address = field
    .replace(/\n/g, '')
    .replace(/^[\w-]{1,40}[ \t]*;/, '')
    .replace(/[ \t]\([^()]{0,200}\)[ \t]*$/, '');
  const unicode = address.replace(
    /\\x\{([0-9A-F]{1,6})\}/gi,
    (all, hex: string) => character(parseInt(hex, 16)) ?? all,
  );
  const xtext = unicode.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return [...new Set([unicode, xtext].map(addressForm))].filter((form) => form !== '');
}

const character = (code: number): string | undefined =>
  code > 0x1f && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : undefined;

const diagnosticOf = (field: string): string => field.replace(/^[\w .-]{1,40};[ \t]*/, '').slice(0, 4_000);
