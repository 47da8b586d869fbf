import type { MailingKind } from './suppression';

/** What a check before the start may find. Each has a text in every language. */
export const findingCodes = [
  'POSTAL_ADDRESS_MISSING',
  'TEMPLATE_FAILED',
  'PUBLIC_URL_NOT_HTTPS',
  'NOBODY_ELIGIBLE',
  'AUDIENCE_NOT_COUNTED',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/**
 * `block`: the mailing does not start; managers and admins may override it, giving a reason, where letters can be made.
 */
export const findingLevels = ['block', 'warn', 'unknown'] as const;
export type FindingLevel = (typeof findingLevels)[number];

export interface Finding {
  code: FindingCode;
  level: FindingLevel;
  values: Record<string, string | number>;
}

/** What is known about a mailing before it starts. */
export interface PreflightFacts {
  kind: MailingKind;
  /** In one line; empty if neither the owner nor the settings give one. */
  postalAddress: string;
  /** Why no letter can be made of the message; null if letters can be made. */
  templateProblem: string | null;
  /** How many recipients it has, and how many of them are not suppressed; null if it took too long to find out. */
  chosen: number | null;
  eligible: number | null;
  publicUrl: string;
  production: boolean;
}

/** All findings, the blocking ones first. */
export function preflight(facts: PreflightFacts): Finding[] {
  const { kind, postalAddress, templateProblem, chosen, eligible, publicUrl, production } = facts;
  const isMarketing = kind === 'marketing';
  const isPlainHttp = isMarketing && !publicUrl.startsWith('https:');
  const found: (Finding | null)[] = [
    isMarketing && postalAddress === '' ? finding('POSTAL_ADDRESS_MISSING', 'block') : null,
    templateProblem !== null ? finding('TEMPLATE_FAILED', 'block', { problem: templateProblem }) : null,
    isPlainHttp && production ? finding('PUBLIC_URL_NOT_HTTPS', 'block', { url: publicUrl }) : null,
    chosen && eligible === 0 ? finding('NOBODY_ELIGIBLE', 'block', { chosen }) : null,
    chosen === null ? finding('AUDIENCE_NOT_COUNTED', 'unknown') : null,
  ];
  return found.filter((one) => one !== null);
}

export const isBlocking = ({ level }: Finding): boolean => level === 'block';

/** Whether a reason given by a manager or admin lets the mailing start all the same. */
export const mayOverride = ({ code }: Finding): boolean => code !== 'TEMPLATE_FAILED';

/**
 * Whether it is about what every letter has to show. The others are about a start: whom it would reach, and of what
 * letters would be made.
 */
export const isOfLetters = ({ code }: Finding): boolean =>
  code === 'POSTAL_ADDRESS_MISSING' || code === 'PUBLIC_URL_NOT_HTTPS';

/** In English, for REST and the command line. */
export const findingTexts: Record<FindingCode, (values: Finding['values']) => string> = {
  POSTAL_ADDRESS_MISSING: () =>
    'The letters would have no postal address, which the law requires. Enter one for the sender (PATCH /sender, or ' +
    'Account, Sender), or set SENDER_ADDRESS.',
  TEMPLATE_FAILED: ({ problem }) => `No letter can be made of the message: ${problem}`,
  PUBLIC_URL_NOT_HTTPS: ({ url }) =>
    `Links to unsubscribe would begin with ${url}: mail programs accept only https. Set PUBLIC_URL.`,
  AUDIENCE_NOT_COUNTED: () => 'It takes too long to count who would get it. It can be started all the same.',
  NOBODY_ELIGIBLE: ({ chosen }) => `Nobody would get it: all ${chosen} recipients are suppressed.`,
};

const finding = (code: FindingCode, level: FindingLevel, values: Finding['values'] = {}): Finding => ({
  code,
  level,
  values,
});
