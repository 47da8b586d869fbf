import type { Config } from '../../config/config.module';
import { namedDelayMs } from '../../domain/refusal-text';
import { nextDelayMs, withinPolicy } from '../../domain/retry-policy';
import { responseText, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import type { Claim } from '../ledger/claims';
import type { DeliveryRecord } from '../ledger/records';

/** After so many broken connections or refused senders, each time after RCPT, the recipient counts as the cause. */
export const BREAKS_MAX = 3;

/** The ledger's record of a try, from the verdict, the mailing's policy and the retry policy. */
export function recordOf(
  claim: Claim,
  result: TransmitResult,
  verdict: Verdict,
  durationMs: number,
  config: Pick<Config, 'retryDelaysMs' | 'unknownGraceMs' | 'domainRestMs'>,
  random01: number,
): DeliveryRecord {
  const reply = 'reply' in result ? result.reply : null;
  const base: DeliveryRecord = {
    deliveryId: claim.id,
    attempt:
      verdict.attempt === 'none'
        ? null
        : {
            number: claim.attempts + 1,
            status: verdict.attempt,
            replyCode: reply?.code ?? null,
            enhancedCode: reply?.enhanced ?? null,
            serverResponse: responseText(result),
            durationMs,
            refusal: verdict.refusal,
          },
    status: 'pending',
    reason: verdict.reason,
    triesUsed: verdict.tryUsed ? 1 : 0,
    breaks: 0,
    lostReplies: 0,
    delayMs: null,
  };
  const retried = (): DeliveryRecord => {
    const policy = nextDelayMs({ tries: claim.tries + 1, delaysMs: config.retryDelaysMs, random01 });
    if (policy === null) return { ...base, status: 'failed', triesUsed: 1 };
    const held = verdict.consequence.kind === 'rest_domain' ? config.domainRestMs : 0;
    const named = reply && namedDelayMs(reply.text);
    const delay = named === null ? policy : withinPolicy({ namedMs: named, delaysMs: config.retryDelaysMs, random01 });
    return { ...base, status: 'deferred', triesUsed: 1, delayMs: Math.max(delay, held) };
  };
  switch (verdict.delivery) {
    case 'sent':
      base.status = 'sent';
      base.reason = null;
      return base;
    case 'failed':
      return { ...base, status: 'failed' };
    case 'retry':
      return retried();
    case 'unknown':
      return claim.onUnknown === 'resend' && claim.lostReplies === 0
        ? { ...base, status: 'deferred', lostReplies: 1, delayMs: config.unknownGraceMs }
        : { ...base, status: 'unknown', lostReplies: 1 };
    case 'pending':
      if (base.attempt === null || blamesNobody(result, verdict))
        return { ...base, reason: null, breaks: refusedForSender(result, verdict) ? 1 : 0 };
      return claim.breaks + 1 < BREAKS_MAX ? { ...base, reason: null, breaks: 1 } : retried();
  }
}

/**
 * Whether the recipient can't be the cause, however often it happens: the account or the mailing is parked, waits or
 * rests.
 */
function blamesNobody(result: TransmitResult, { permanent, consequence }: Verdict): boolean {
  if (permanent || result.kind === 'withheld' || ['rest', 'fresh', 'fewer'].includes(consequence.kind)) return true;
  return result.kind === 'refused' && result.phase === 'mail';
}

/** Counted, but no reason to fail by itself: `MailingStreaks.blame` decides that. */
const refusedForSender = (result: TransmitResult, { scope }: Verdict): boolean =>
  scope === 'mailing' && result.kind === 'refused' && result.phase !== 'mail';
