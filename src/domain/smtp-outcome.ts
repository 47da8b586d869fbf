import { type Named, namesSender, refusalFingerprint, refusalWords } from './refusal-text';
import { type SmtpPhase, type TransmitResult } from './smtp-result';
import { SMTP_RULES } from './smtp-rules';
import { type Ruling, type SmtpRule } from './smtp-ruling';

export * from './smtp-reply';
export * from './smtp-result';
export { type Consequence, type Ruling, type Scope, SMTP_REASONS, type SmtpReason } from './smtp-ruling';

export interface Verdict extends Ruling {
  /**
   * The attempt's status in the ledger; `none` if it ended before MAIL FROM was written: that is an entry of the
   * account's log.
   */
  attempt: 'ok' | 'failed' | 'unknown' | 'none';
  /** Whether this counts against the recipient's tries. */
  tryUsed: boolean;
  /** The fingerprint of a refusal in which nothing names the recipient (`refusalFingerprint`). */
  refusal: string | null;
}

/** Facts about a try that its result does not contain. */
export interface TryFacts extends Partial<Named> {
  /** How often in a row this very delivery was lost on a broken connection before. */
  brokenBefore?: number;
}

const BEFORE_MAIL: ReadonlySet<SmtpPhase> = new Set<SmtpPhase>(['dns', 'connect', 'greeting', 'ehlo', 'tls', 'auth']);

/**
 * Turns the result of a try into a verdict, by the first rule that matches. From the third broken connection in a row
 * on it counts as the recipient's fault, so that one letter that breaks connections can't stop an account for ever.
 */
export function classify(result: TransmitResult, facts: TryFacts = {}): Verdict {
  if (result.kind === 'accepted') return (accepted ??= verdictOf(result, facts));
  return verdictOf(result, facts);
}

/** The verdict of an accepted letter, always the same. */
let accepted: Verdict | undefined;

function verdictOf(result: TransmitResult, facts: TryFacts): Verdict {
  const { then } = findRule(result, facts);
  const tryUsed = then.delivery === 'sent' || then.delivery === 'failed' || then.delivery === 'retry';
  const refusal = then.guess && result.kind === 'refused' ? refusalFingerprint(result.reply, namedIn(facts)) : null;
  return { ...then, attempt: attemptOf(result, then), tryUsed, refusal };
}

/** The rule that decides; exported for the tests, which prove that no row is unreachable. */
export function findRule(result: TransmitResult, facts: TryFacts = {}): SmtpRule {
  const matches =
    result.kind === 'refused' ? refusalMatcher(result, namedIn(facts)) : matcher(result, facts.brokenBefore ?? 0);
  const rule = SMTP_RULES.find(({ when }) => when.kind === result.kind && inPhase(when, result) && matches(when));
  if (!rule) throw new Error(`No SMTP rule for ${JSON.stringify(result)}`);
  return rule;
}

const namedIn = ({ from = '', to = '' }: TryFacts): Named => ({ from, to });

function attemptOf(result: TransmitResult, then: Ruling): Verdict['attempt'] {
  if (then.delivery === 'sent') return 'ok';
  if (then.delivery === 'unknown') return 'unknown';
  return result.kind === 'unsendable' || ('phase' in result && BEFORE_MAIL.has(result.phase)) ? 'none' : 'failed';
}

type When = SmtpRule['when'];

const inPhase = (when: When, result: TransmitResult): boolean =>
  !when.phases || ('phase' in result && when.phases.includes(result.phase));

function refusalMatcher(
  { reply, spent }: Extract<TransmitResult, { kind: 'refused' }>,
  named: Named,
): (when: When) => boolean {
  const code = String(reply.code);
  const words = refusalWords(reply.text);
  const aboutSender = namesSender(words, named);
  return (when) =>
    (!when.spent || spent === true) &&
    (!when.code || when.code.test(code)) &&
    (!when.enhanced || when.enhanced.test(reply.enhanced ?? '')) &&
    (when.sender === undefined || when.sender === aboutSender) &&
    (!when.text || when.text.test(words));
}

function matcher(result: Exclude<TransmitResult, { kind: 'refused' }>, brokenBefore: number): (when: When) => boolean {
  switch (result.kind) {
    case 'broken':
      return (when) =>
        (when.dotSent === undefined || when.dotSent === result.dotSent) && brokenBefore >= (when.brokenBefore ?? 0);
    case 'unsendable':
      return (when) => when.problem === result.problem;
    case 'accepted':
    case 'withheld':
      return () => true;
  }
}
