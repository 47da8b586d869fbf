import { type SmtpPhase, type TransmitResult } from './smtp-result';
import { type Ruling, SMTP_RULES, type SmtpRule } from './smtp-rules';

export * from './smtp-reply';
export * from './smtp-result';
export { type Consequence, type Ruling, type Scope, SMTP_REASONS, type SmtpReason } from './smtp-rules';

export interface Verdict extends Ruling {
  /** The ledger's entry; `none` for what ended before MAIL FROM was written: that belongs to the account's log. */
  attempt: 'ok' | 'failed' | 'unknown' | 'none';
  /** Whether this counts against the recipient's tries. */
  tryUsed: boolean;
}

const BEFORE_MAIL: ReadonlySet<SmtpPhase> = new Set<SmtpPhase>(['dns', 'connect', 'greeting', 'ehlo', 'tls', 'auth']);

/**
 * Turns what the server said into what we do, by the first rule that matches.
 * `brokenBefore` is how often in a row this very delivery was lost on a broken connection before: from the third time
 * on it counts as the recipient's, so that one poisonous letter cannot hold up an account for ever.
 */
export function classify(result: TransmitResult, { brokenBefore = 0 } = {}): Verdict {
  const rule = findRule(result, brokenBefore);
  const { then } = rule;
  const tryUsed = then.delivery === 'sent' || then.delivery === 'failed' || then.delivery === 'retry';
  return { ...then, attempt: attemptOf(result, then), tryUsed };
}

/** The rule that decides; exported for the tests, which prove that no row is unreachable. */
export function findRule(result: TransmitResult, brokenBefore = 0): SmtpRule {
  const rule = SMTP_RULES.find((candidate) => matches(candidate.when, result, brokenBefore));
  if (!rule) throw new Error(`No SMTP rule for ${JSON.stringify(result)}`);
  return rule;
}

function attemptOf(result: TransmitResult, then: Ruling): Verdict['attempt'] {
  if (then.delivery === 'sent') return 'ok';
  if (then.delivery === 'unknown') return 'unknown';
  return result.kind === 'unsendable' || ('phase' in result && BEFORE_MAIL.has(result.phase)) ? 'none' : 'failed';
}

function matches(when: SmtpRule['when'], result: TransmitResult, brokenBefore: number): boolean {
  if (when.kind !== result.kind) return false;
  if (when.phases && !('phase' in result && when.phases.includes(result.phase))) return false;
  switch (result.kind) {
    case 'refused': {
      const { code, enhanced, text } = result.reply;
      return (
        (!when.code || when.code.test(String(code))) &&
        (!when.enhanced || when.enhanced.test(enhanced ?? '')) &&
        (!when.text || when.text.test(text))
      );
    }
    case 'broken':
      return (
        (when.dotSent === undefined || when.dotSent === result.dotSent) && brokenBefore >= (when.brokenBefore ?? 0)
      );
    case 'unsendable':
      return when.problem === result.problem;
    case 'accepted':
    case 'withheld':
      return true;
  }
}
