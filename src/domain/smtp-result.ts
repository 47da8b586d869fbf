import { type SmtpReply } from './smtp-reply';

/** How far the conversation was: the step whose answer is missing or negative. `dot` is the end of the letter. */
export type SmtpPhase = 'dns' | 'connect' | 'greeting' | 'ehlo' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'dot';

/** The error of a letter whose dot had been written when this worker stopped or was fenced: not the server's doing. */
export const STOPPED = 'stopped by this worker';

/** Why a letter was not even offered to the server. */
export type UnsendableProblem =
  'login_not_offered' | 'too_large' | 'bad_address' | 'address_needs_utf8' | 'sender_needs_utf8' | 'template_failed';

/** What became of one try to hand over one letter. */
export type TransmitResult =
  | { kind: 'accepted'; reply: SmtpReply }
  /**
   * The server answered 4xx or 5xx. `spent`: the reason may be that its connection has served the allowed number of
   * letters.
   */
  | { kind: 'refused'; phase: SmtpPhase; reply: SmtpReply; spent?: true }
  /** No valid answer came. `dotSent: false` guarantees that the server can't have accepted the letter. */
  | { kind: 'broken'; phase: SmtpPhase; dotSent: boolean; error: string }
  /** Our own check refused the letter; nothing was sent for it. */
  | { kind: 'unsendable'; problem: UnsendableProblem; text: string }
  /** We stopped before the dot: shutting down, or fenced. Nobody is to blame. */
  | { kind: 'withheld'; phase: SmtpPhase; text: string };

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
