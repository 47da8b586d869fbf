/**
 * What makes it doubtful that a refusal is about the address alone, as expressions that JavaScript and Postgres read
 * alike. They are searched whatever the case.
 */

/** Words about us or about the letter, which some servers put behind words about the mailbox. */
export const ABOUT_US = [
  'policy',
  String.raw`\b(?:spf|dkim|dmarc|spam|dns|ptr|reputation|blocked)\b`,
  String.raw`(?<!not )\blisted\b`,
  '(?:message|content) rejected',
].join('|');

/** What servers say whatever the matter is. */
export const SAYS_LITTLE = 'mailbox unavailable|try again|later';

/** Codes that are about the mailbox alone (RFC 3463), as far as servers keep to them. */
export const CLEAR_CODE = String.raw`^5\.(?:1\.(?:1|2|3|10)|2\.1|5\.0)$`;

/** SQL: one of these expressions as a text. The edge of a word is all that Postgres writes otherwise. */
export const inSql = (expression: string): string => `'${expression.replaceAll(String.raw`\b`, String.raw`\y`)}'`;
