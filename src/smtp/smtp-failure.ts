import type { SmtpPhase, TransmitResult } from '../domain/smtp-outcome';

/** Every result but `accepted`. */
export type SmtpFailure = Exclude<TransmitResult, { kind: 'accepted' }>;

/** The error for an invalid answer, cut to a length that a log can show. */
export const notAReply = (answer: string): Error =>
  new Error(`Not an SMTP reply: ${JSON.stringify(answer.slice(0, 200))}`);

export const broken = (phase: SmtpPhase, error: Error, dotSent = false): SmtpFailure => ({
  kind: 'broken',
  phase,
  dotSent,
  error: error.message,
});
