import type { FieldProblem } from './problems';

/** What filters and readers dislike in letters. */
const OF_CONTENT = [
  'FOREIGN_TAGS',
  'ATTACHMENTS_LARGE',
  'HTML_LONG',
  'IMAGES_WITHOUT_ALT',
  'MOSTLY_PICTURES',
  'LINK_TEXT_DIFFERENT',
  'SHORT_LINKS',
  'HTTP_LINKS',
  'DATA_IMAGES',
  'SPAM_SCORE',
] as const;

/** What a check before the start may find. Each has a text in every language. */
export const findingCodes = [
  // The letters themselves, and whom they would reach.
  'POSTAL_ADDRESS_MISSING',
  'TEMPLATE_FAILED',
  'UNSUBSCRIBE_HIDDEN',
  'TEXT_EMPTY',
  'PUBLIC_URL_NOT_HTTPS',
  'NOBODY_ELIGIBLE',
  'AUDIENCE_NOT_COUNTED',
  // What DNS says about the sender, and the way that letters take.
  'FROM_UNREACHABLE',
  'SPF_MISSING',
  'SPF_SEVERAL',
  'SPF_BROKEN',
  'SPF_LOOKUPS',
  'DKIM_OFF',
  'DKIM_MISSING',
  'DKIM_DIFFERENT',
  'DKIM_SHORT',
  'DKIM_ED25519_ALONE',
  'DMARC_MISSING',
  'DMARC_BROKEN',
  'NOT_ALIGNED',
  'PTR_MISSING',
  'PTR_DIFFERENT',
  'RELAY_WITHOUT_TLS',
  'FBL_NOT_ALIGNED',
  'DNS_UNANSWERED',
  ...OF_CONTENT,
  'SPAM_UNANSWERED',
  // What a proof letter has shown.
  'PROOF_FAILED',
  'PROOF_MISSING',
  // The list.
  'NEW_ADDRESSES',
  'LAST_RUN_BOUNCED',
  'LAST_RUN_COMPLAINED',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/**
 * `block`: the mailing does not start; managers and admins may override it, giving a reason, where letters can be made.
 * `unknown`: it could not be found out.
 */
export const findingLevels = ['block', 'warn', 'unknown'] as const;
export type FindingLevel = (typeof findingLevels)[number];

/**
 * `name` and `record`, where there are both: a DNS record of that name and value is to be published. `errors`: what is
 * wrong with the message.
 */
export interface Finding {
  code: FindingCode;
  level: FindingLevel;
  values: Record<string, string | number>;
  errors?: readonly FieldProblem[];
}

/** How much is asked before a start: whether what is wrong with the sender's domain blocks small mailings, too. */
export const preflightModes = ['warn', 'strict', 'off'] as const;
export type PreflightMode = (typeof preflightModes)[number];

export const isBlocking = ({ level }: Finding): boolean => level === 'block';

const NO_LETTERS: ReadonlySet<FindingCode> = new Set<FindingCode>(['TEMPLATE_FAILED', 'UNSUBSCRIBE_HIDDEN']);

/** Whether a reason given by a manager or admin lets the mailing start all the same. */
export const mayOverride = ({ code }: Finding): boolean => !NO_LETTERS.has(code);

/**
 * Whether it is about what every letter has to show. The others are about a start: whom it would reach, and of what
 * letters would be made.
 */
export const isOfLetters = ({ code }: Finding): boolean =>
  code === 'POSTAL_ADDRESS_MISSING' || code === 'PUBLIC_URL_NOT_HTTPS';

const OF_MESSAGE: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'TEMPLATE_FAILED',
  'UNSUBSCRIBE_HIDDEN',
  'TEXT_EMPTY',
  ...OF_CONTENT,
]);

/** Whether it is put right in the message. */
export const isOfMessage = ({ code }: Pick<Finding, 'code'>): boolean => OF_MESSAGE.has(code);

/** What the last proof letter has shown; null: there was none with the present settings. */
export interface ProofFacts {
  last: { failed: number } | null;
}

const ORDER: Record<FindingLevel, number> = { block: 0, warn: 1, unknown: 2 };

/** Those that block first. */
export const byLevel = (a: Finding, b: Finding): number => ORDER[a.level] - ORDER[b.level];
