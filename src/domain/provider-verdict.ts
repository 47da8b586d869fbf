import { type BounceRuling, judgeBounce } from './bounce-rules';
import { feedbackOf } from './complaint';
import type { InboundVerdict, Match } from './inbound-decision';
import type { ProviderReport } from './providers/provider';
import { isVague, replyInText } from './reply-in-text';
import { addressForm, sameAddress } from './same-address';

/**
 * What a mail provider's report is, as `decide` says it of letters. `match` is the letter of ours that it is about;
 * `sender` that letter's envelope sender. Never throws.
 */
export function decideReport(report: ProviderReport, match: Match | null, sender: string): InboundVerdict {
  const { meaning, said } = report;
  const verdict = (
    kind: InboundVerdict['kind'],
    reason: InboundVerdict['reason'],
    more: Partial<InboundVerdict> = {},
  ) => ({
    kind,
    reason,
    basis: 'provider_report' as const,
    address: match?.email ?? (addressForm(report.address) || null),
    enhancedCode: null,
    reply: said === '' ? null : said,
    blame: null,
    match,
    ...more,
  });
  if (!match) return verdict('ignore', 'not_ours');
  switch (meaning.is) {
    case 'delayed':
      return verdict('ignore', 'delayed', { enhancedCode: report.status });
    case 'auto_reply':
      return verdict('auto-reply', 'auto_reply');
    case 'unsubscribed':
      return verdict('unsubscribe', 'opt_out');
    case 'complaint': {
      const { kind, reason } = feedbackOf(meaning.feedback?.toLowerCase() || 'abuse');
      return verdict(kind, reason, kind === 'ignore' ? { match: null } : {});
    }
    case 'failed': {
      // The letter was passed on, and failed there: the address in the ledger took it.
      if (!sameAddress(report.address, match.email))
        return verdict('soft', 'forward_failed', { blame: 'recipient', enhancedCode: report.status });
      const { ruling, enhanced } = rulingOf(report, meaning, match.email, sender);
      return verdict(ruling.kind, ruling.reason, { blame: ruling.blame, enhancedCode: enhanced });
    }
  }
}

/** What the receiving server said, by the table of bounces; the provider's class where that says nothing. */
function rulingOf(
  { said, status }: ProviderReport,
  { ruling, isOwn }: { ruling: BounceRuling; isOwn?: true },
  to: string,
  from: string,
): { ruling: BounceRuling; enhanced: string | null } {
  if (isOwn) return { ruling, enhanced: null };
  const found = replyInText(said);
  const enhanced = isVague(found?.enhanced) ? (status ?? found?.enhanced ?? null) : found!.enhanced;
  const code = found?.code || (enhanced ? Number(`${enhanced[0]}50`) : 0);
  const byWords = judgeBounce({ code, enhanced, text: found?.text ?? said, from, to });
  return { ruling: byWords.reason === 'undetermined' ? ruling : byWords, enhanced };
}
