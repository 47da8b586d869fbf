import type { Attached } from './attached';
import { parseEmailAddress, singleLineProblem } from './email-address';
import { invalid } from './errors';
import { encodeBody } from './mime-body';
import { addressHeader, headerText, textHeader } from './mime-header';
import { problem, type UnusableFault } from './problems';
import { type ContentTemplate, type LetterData } from './template';

export interface Mailbox {
  name?: string;
  address: string;
}

/** What all letters of a run have in common. */
export interface LetterOptions {
  from: Mailbox;
  replyTo?: Mailbox;
  content: ContentTemplate;
  /** The list's identifier (RFC 2919), a dotted name without angle brackets. */
  listId?: string;
  /** The human name of the list, shown with `listId`. */
  mailingName?: string;
  /** Marks the letter as sent by a program on its own account (RFC 3834): for notices, not for mailings. */
  autoSubmitted?: boolean;
  /**
   * A letter that people may leave: it names `data.unsubscribeUrl` for the mail program's own button (RFC 2369, RFC
   * 8058), and asks programs not to answer it.
   */
  leavable?: boolean;
  /** Feedback-ID, by which Gmail counts complaints. */
  feedbackId?: string;
  /** The address for complaints (CFBL-Address, RFC 9477); reports come in the Abuse Reporting Format. */
  complaintsTo?: string;
  /** Files that every letter carries. */
  attached?: Attached | undefined;
  /** Further fields; none of those that are composed here. */
  headers?: Record<string, string>;
}

/** What all letters of a run share, computed once. */
export interface PreparedLetter {
  readonly content: ContentTemplate;
  readonly from: string;
  /** Fields that are the same in every letter, after Date. */
  readonly common: string;
  readonly leavable: boolean;
  /** What follows the letter that `composeLetter` makes. */
  readonly attached?: Attached | undefined;
}

/** What is one letter's own. */
export interface LetterEnvelope {
  data: LetterData;
  /** With angle brackets; the same on every try. */
  messageId: string;
  date: Date;
  boundary: string;
  /** Whether the next server takes 8-bit bodies (RFC 6152). */
  eightBitMime: boolean;
  /** The address to which a letter unsubscribes, if letters come back to us. */
  unsubscribeAddress?: string | undefined;
}

const MAX_LINE = 998;
const FIELD_NAME = /^[!-9;-~]{1,70}$/;
const COMPOSED_HERE = new Set(
  (
    'from to cc bcc sender reply-to subject message-id date mime-version list-id auto-submitted dkim-signature precedence ' +
    'list-unsubscribe list-unsubscribe-post feedback-id cfbl-address'
  ).split(' '),
);
const LIST_ID = /^[\w-]+(?:\.[\w-]+)+$/;
const MESSAGE_ID = /^<[^\s<>@\x7F-\uFFFF]+@[^\s<>@\x7F-\uFFFF]+>$/;
const LINK = /^https?:\/\/[^\s<>\x7F-\uFFFF]{1,900}$/;
/** What needs no escapes in a URL (RFC 6068). */
const RETURN_ADDRESS = /^[\w.+-]{1,64}@[a-z0-9.-]{1,255}$/i;
const BOUNDARY = /^[\w'()+,./:=?-]{1,70}$/;

/** @throws ValidationError if an address, the list id or one of `headers` can't stand in a header */
export function prepareLetter(options: LetterOptions): PreparedLetter {
  const { from, replyTo, listId, content } = options;
  let common = replyTo ? mailboxHeader('Reply-To', replyTo, 'replyTo') : '';
  if (listId !== undefined) {
    if (!LIST_ID.test(listId) || listId.length > 255) throw unusable('listId', 'list_id');
    common += addressHeader('List-Id', options.mailingName ?? '', listId, false);
  }
  if (options.leavable) common += 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n';
  if (options.feedbackId !== undefined) common += `Feedback-ID: ${headerText(options.feedbackId)}\r\n`;
  if (options.complaintsTo !== undefined) common += complaintsHeader(options.complaintsTo);
  if (options.autoSubmitted) common += 'Auto-Submitted: auto-generated\r\n';
  for (const [name, value] of Object.entries(options.headers ?? {})) common += customHeader(name, value);
  common += 'MIME-Version: 1.0\r\n';
  // The alternatives are the first part then.
  if (options.attached) common += mixed(options.attached.boundary);
  return {
    content,
    from: mailboxHeader('From', from, 'from'),
    common,
    leavable: options.leavable ?? false,
    attached: options.attached,
  };
}

/**
 * The whole letter (RFC 5322, RFC 2045), but for what it carries: multipart/alternative with the text, then the HTML. Lines end in CRLF and have
 * at most 998 octets (header lines about 76); all octets are 7-bit unless `eightBitMime`. The same input always gives
 * the same octets, and no value can add a header or a part. Dots at line starts are not doubled: SMTP's DATA does that.
 * @throws ValidationError if the client's address, the Message-ID, the date, the boundary or the link to unsubscribe is
 * not valid, or rendering fails
 */
export function composeLetter(prepared: PreparedLetter, letter: LetterEnvelope): Buffer {
  const { data, boundary } = letter;
  if (!MESSAGE_ID.test(letter.messageId)) throw unusable('messageId', 'message_id');
  if (!BOUNDARY.test(boundary)) throw unusable('boundary', 'boundary');
  const { subject, html, text } = prepared.content.render(data);
  const head =
    prepared.from +
    mailboxHeader('To', { name: data.client.fullName, address: data.client.email }, 'client.email') +
    textHeader('Subject', subject) +
    `Message-ID: ${letter.messageId}\r\nDate: ${headerDate(letter.date)}\r\n` +
    (prepared.leavable ? unsubscribeHeader(data.unsubscribeUrl, letter.unsubscribeAddress) : '') +
    prepared.common +
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n`;
  const parts = part(boundary, 'plain', text, letter.eightBitMime) + part(boundary, 'html', html, letter.eightBitMime);
  return Buffer.from(`${head}${parts}--${boundary}--\r\n`, 'latin1');
}

const mixed = (boundary: string) =>
  `Content-Type: multipart/mixed;\r\n boundary="${boundary}"\r\n\r\n--${boundary}\r\n`;

function complaintsHeader(address: string): string {
  const parsed = parseEmailAddress(address);
  if (!parsed.ok) throw invalid('complaintsTo', parsed.problem);
  return `CFBL-Address: ${parsed.email}; report=arf\r\n`;
}

/** In one line, which some readers of it need. */
function unsubscribeHeader(url: string | undefined, address: string | undefined): string {
  if (url === undefined || !LINK.test(url)) throw unusable('unsubscribeUrl', 'link');
  if (address === undefined) return `List-Unsubscribe: <${url}>\r\n`;
  if (!RETURN_ADDRESS.test(address)) throw unusable('unsubscribeAddress', 'link');
  return `List-Unsubscribe: <${url}>, <mailto:${address}?subject=unsubscribe>\r\n`;
}

function part(boundary: string, subtype: 'plain' | 'html', content: string, eightBitMime: boolean): string {
  const { encoding, octets } = encodeBody(content, eightBitMime);
  return (
    `--${boundary}\r\nContent-Type: text/${subtype}; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: ${encoding}\r\n\r\n${octets}\r\n`
  );
}

function mailboxHeader(field: string, mailbox: Mailbox, path: string): string {
  const parsed = parseEmailAddress(mailbox.address);
  if (!parsed.ok) throw invalid(path, parsed.problem);
  return addressHeader(field, mailbox.name ?? '', parsed.email);
}

function customHeader(name: string, value: string): string {
  const path = `headers.${name}`;
  if (!FIELD_NAME.test(name) || COMPOSED_HERE.has(name.toLowerCase()) || /^content-/i.test(name)) {
    throw unusable(path, 'header');
  }
  const wrong = singleLineProblem(value, 10_000);
  if (wrong !== null) throw invalid(path, wrong);
  const header = textHeader(name, value, true);
  if (header.split('\r\n').some((line) => line.length > MAX_LINE)) throw unusable(path, 'long_word');
  return header;
}

/** The last date that was formatted: hundreds of letters have the same second. */
let written = { second: NaN, date: '' };

/** RFC 5322 3.3, in UTC. */
function headerDate(date: Date): string {
  const second = Math.floor(date.getTime() / 1000);
  if (Number.isNaN(second)) throw unusable('date', 'date');
  if (second !== written.second) written = { second, date: date.toUTCString().replace('GMT', '+0000') };
  return written.date;
}

const unusable = (field: string, fault: UnusableFault) => invalid(field, problem('unusable', { fault }));
