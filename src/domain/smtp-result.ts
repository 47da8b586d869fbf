import { type SmtpReply } from './smtp-reply';

/** How far the conversation was: the step whose answer is missing or negative. `dot` is the end of the letter. */
export type SmtpPhase = 'dns' | 'connect' | 'greeting' | 'ehlo' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'dot';

/** Why a letter was not even offered to the server. */
export type UnsendableProblem =
  'login_not_offered' | 'too_large' | 'bad_address' | 'address_needs_utf8' | 'sender_needs_utf8' | 'template_failed';

/** What became of one try to hand over one letter. */
export type TransmitResult =
  | { kind: 'accepted'; reply: SmtpReply; remoteQueueId: string | null }
  /** The server answered 4xx or 5xx: a definite no. */
  | { kind: 'refused'; phase: SmtpPhase; reply: SmtpReply }
  /** No sane answer. `dotSent: false` guarantees that the server cannot have accepted the letter. */
  | { kind: 'broken'; phase: SmtpPhase; dotSent: boolean; error: string }
  /** Our own check said no; nothing was sent for this letter. */
  | { kind: 'unsendable'; problem: UnsendableProblem; text: string }
  /** We stopped before the dot: shutting down, or fenced. Nobody is to blame. */
  | { kind: 'withheld'; phase: SmtpPhase; text: string };
