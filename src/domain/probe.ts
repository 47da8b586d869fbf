import type { SmtpReason, TransmitResult, Verdict } from './smtp-outcome';

/**
 * What the answer to a probe says about an account that rests. `unclear`: it was about that recipient, so another
 * letter must be tried.
 */
export type Judgement = 'well' | 'still' | 'unclear';

/** Reasons about connections: for these a connection that can be opened is enough of a probe. */
const OF_CONNECTIONS: ReadonlySet<string | null> = new Set<SmtpReason>([
  'auth_refused',
  'auth_unavailable',
  'connection_broken',
  'connection_failed',
  'login_not_offered',
  'server_refused',
  'tls_failed',
  'tls_unavailable',
]);

export const needsLetter = (reason: string | null): boolean => !OF_CONNECTIONS.has(reason);

/** @param refusal what everybody was told, if the account rests for that */
export function judgeProbe(result: TransmitResult, verdict: Verdict, refusal: string | null): Judgement {
  if (verdict.delivery === 'sent') return 'well';
  if (result.kind === 'withheld') return 'unclear';
  if (verdict.delivery === 'unknown') return 'still';
  if (refusal !== null && verdict.refusal === refusal) return 'still';
  if (verdict.scope === 'account' && verdict.delivery === 'pending') return 'still';
  // The account rests because answers to the dot never came; now one came.
  return result.kind === 'refused' && result.phase === 'dot' && refusal === null ? 'well' : 'unclear';
}
