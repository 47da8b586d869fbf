import { type CsvItem, plainField } from './csv-records';
import {
  bestHeader,
  columnName,
  columnsProblem,
  CsvTable,
  rejected,
  type RejectedLine,
  type UnusableFile,
  visible,
} from './csv-table';
import { parseEmailAddress } from './email-address';
import { at, problem } from './problems';
import type { SuppressionReason } from './suppression';
import { plainDay } from './time-zone';

/** What a file of suppressed addresses consists of. `not_suppressed`: the file itself says that it gets mail. */
export type SuppressionItem = SuppressionLine | RejectedLine | UnusableFile;

export type SuppressionLine =
  | {
      kind: 'suppression';
      line: number;
      /** As addresses are compared. */
      emailKey: string;
      reason: SuppressionReason;
      detail: string;
      /** Null if the file does not say since when. */
      since: Date | null;
    }
  | { kind: 'not_suppressed'; line: number };

type Column = 'email' | 'reason' | 'detail' | 'since' | 'scope' | 'expiresAt' | 'unsubscribedAt' | 'cleanedAt';

/**
 * The names of a column, as `columnName` gives them: those of our own export, and those of the exports of listmonk,
 * Mailchimp, Amazon SES, SendGrid, Mailgun, Postmark and Brevo.
 */
const NAMES: Record<Column, string[]> = {
  email: ['email', 'emailaddress', 'address', 'recipient', 'mail', 'почта', 'электроннаяпочта', 'адрес'],
  reason: ['reason', 'suppressionreason', 'status', 'state', 'type', 'причина'],
  detail: ['detail', 'error', 'description', 'unsubreason', 'comment', 'note', 'комментарий'],
  since: ['createdat', 'created', 'lastupdatetime', 'timestamp', 'date', 'time', 'дата'],
  scope: ['scope'],
  expiresAt: ['expiresat'],
  unsubscribedAt: ['unsubtime'],
  cleanedAt: ['cleantime'],
};

/** What other tools call the reasons, in lower case and letters only. */
const REASONS: Record<SuppressionReason, string[]> = {
  unsubscribed: ['unsubscribed', 'unsubscribe', 'unsub', 'optout', 'optedout', 'globalunsubscribe', 'listunsubscribe'],
  hard_bounce: ['hardbounce', 'hardbounced', 'bounce', 'bounced', 'cleaned', 'permanent', 'permanentfailure'],
  complaint: ['complaint', 'complained', 'spam', 'spamcomplaint', 'spamreport', 'abuse', 'spammed'],
  manual: ['manual', 'manualsuppression', 'blocklisted', 'blacklisted', 'blocked', 'block', 'admin', 'suppressed'],
  invalid: ['invalid', 'invalidemail', 'invalidaddress'],
};
export const REASON_OF: ReadonlyMap<string, SuppressionReason> = new Map(
  Object.entries(REASONS).flatMap(([reason, names]) => names.map((name) => [name, reason as SuppressionReason])),
);
/** The file lists everybody, and this one gets mail. */
const GETS_MAIL = ['enabled', 'subscribed', 'active', 'confirmed'];
const DETAIL_MAX = 500;
/** A time outside of these is a mistake of the list, and Postgres may not know it. */
const EPOCH = 0;
const FAR_FUTURE = Date.UTC(2100, 0, 1);

/** Where the values stand in a record, by a file's header; -1: the file has no such column. */
export interface SuppressionHeader extends Record<Column, number> {
  delimiter: string;
  width: number;
  /** Names of unknown columns, as they stand in the file. */
  ignored: string[];
}

/** Reads a CSV file of suppressed addresses. @param otherwise the reason of lines that name none that is known */
export class SuppressionsCsv extends CsvTable<SuppressionHeader, SuppressionLine> {
  constructor(otherwise: SuppressionReason) {
    super({
      readHeader: (line, delimiters) => bestHeader(line, delimiters, mapColumns),
      isOneRecord: isOneAddress,
      readRecord: (item, header) => readSuppression(item, header, otherwise),
      empty: problem('file_without_addresses'),
      headless: (line, found) => problem('file_header_email', { line, found }),
    });
  }
}

/** Whether a record of several lines is plausible: none of them may have an address of its own. */
function isOneAddress(fields: string[], lines: string[], { email, delimiter }: SuppressionHeader): boolean {
  if (fields[email]?.trim().includes('\n')) return false;
  return !lines.slice(1).some((line) => line.includes('@') && parseEmailAddress(line.split(delimiter)[email] ?? '').ok);
}

function mapColumns(fields: string[], delimiter: string): SuppressionHeader | null {
  const names = fields.map(columnName);
  const columns = Object.fromEntries(
    Object.entries(NAMES).map(([column, known]) => [
      column,
      known.map((name) => names.indexOf(name)).find((i) => i >= 0) ?? -1,
    ]),
  ) as Record<Column, number>;
  if (columns.email < 0) return null;
  const used = Object.values(columns);
  const ignored = fields.flatMap((field, i) => (names[i] === '' || used.includes(i) ? [] : [visible(field, 60)]));
  return { ...columns, delimiter, width: fields.length, ignored: ignored.slice(0, 50) };
}

function readSuppression(
  item: CsvItem,
  header: SuppressionHeader,
  otherwise: SuppressionReason,
): SuppressionLine | RejectedLine {
  const { line } = item;
  if (!item.ok) return rejected(line, at('line', item.problem));
  const wrong = columnsProblem(item.fields, header.width, header.email);
  if (wrong) return rejected(line, at('line', wrong));
  const value = (column: Column) => plainField(item.fields[header[column]] ?? '').trim();
  const address = parseEmailAddress(value('email'));
  if (!address.ok) return rejected(line, at('email', address.problem));
  const said = value('reason');
  const word = said.toLowerCase().replace(/[^a-z]/g, '');
  if (GETS_MAIL.includes(word) || value('scope') === 'mailing') return { kind: 'not_suppressed', line };
  const known = REASON_OF.get(word);
  // It did not take letters for a while, and our own list says until when.
  if (known === 'hard_bounce' && value('expiresAt') !== '') return { kind: 'not_suppressed', line };
  const marked = value('cleanedAt') ? 'hard_bounce' : value('unsubscribedAt') ? 'unsubscribed' : otherwise;
  // Some tools keep there what the mail server said.
  const detail = value('detail') || (known === undefined ? said : '');
  return {
    kind: 'suppression',
    line,
    emailKey: address.email.toLowerCase(),
    reason: known ?? marked,
    detail: detail.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, DETAIL_MAX),
    since: timeOf(value('since') || value('unsubscribedAt') || value('cleanedAt')),
  };
}

/** ISO 8601, with a space for the T and in UTC if it names no zone, or seconds since 1970; null for anything else. */
function timeOf(text: string): Date | null {
  if (/^\d{9,10}$/.test(text)) return new Date(Number(text) * 1_000);
  const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?( ?(?:Z|UTC|[+-]\d\d:?\d\d))?/.exec(text);
  const [, day = '', time = '00:00:00', zone = 'Z'] = iso ?? [];
  if (!plainDay(day)) return null;
  const offset = zone.trim() === 'UTC' ? 'Z' : zone.trim();
  const ms = Date.parse(`${day}T${time}${offset}`);
  return ms >= EPOCH && ms < FAR_FUTURE ? new Date(ms) : null;
}
