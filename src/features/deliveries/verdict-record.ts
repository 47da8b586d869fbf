import type { Config } from '../../config/config.module';
import { nextDelayMs } from '../../domain/retry-policy';
import type { TransmitResult, Verdict } from '../../domain/smtp-outcome';
import type { Claim } from './claims';
import type { DeliveryRecord } from './records';

/** A delivery that came back so often, each time after its recipient was named, counts as if the recipient were to blame. */
const BREAKS_MAX = 3;

/** What the ledger says of a try: the verdict, the mailing's policy and the retry policy put together. */
export function recordOf(
  claim: Claim,
  result: TransmitResult,
  verdict: Verdict,
  durationMs: number,
  config: Pick<Config, 'retryDelaysMs' | 'unknownGraceMs' | 'domainHoldMs'>,
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
    const held = verdict.consequence.kind === 'hold_domain' ? config.domainHoldMs : 0;
    return { ...base, status: 'deferred', triesUsed: 1, delayMs: Math.max(policy, held) };
  };
  switch (verdict.delivery) {
    case 'sent':
      return { ...base, status: 'sent', reason: null };
    case 'failed':
      return { ...base, status: 'failed' };
    case 'retry':
      return retried();
    case 'unknown':
      return claim.onUnknown === 'resend' && claim.lostReplies === 0
        ? { ...base, status: 'deferred', lostReplies: 1, delayMs: config.unknownGraceMs }
        : { ...base, status: 'unknown', lostReplies: 1 };
    case 'pending':
      if (base.attempt === null || blamesNobody(result, verdict)) return { ...base, reason: null };
      return claim.breaks + 1 < BREAKS_MAX ? { ...base, reason: null, breaks: 1 } : retried();
  }
}

/** What can't be this recipient's doing, however often it happens: the account or the mailing is parked or waits. */
function blamesNobody(result: TransmitResult, verdict: Verdict): boolean {
  return verdict.permanent || result.kind === 'withheld' || (result.kind === 'refused' && result.phase === 'mail');
}

/** The server's whole answer, or what happened instead of one. */
export function responseText(result: TransmitResult): string {
  switch (result.kind) {
    case 'accepted':
    case 'refused':
      return result.reply.text;
    case 'broken':
      return result.error;
    case 'unsendable':
    case 'withheld':
      return result.text;
  }
}
