import type { UnknownPolicy } from '../../domain/states';

/** A delivery that this worker alone may now try, with all that composing and recording need. */
export interface Claim {
  id: number;
  runId: number;
  mailingId: number;
  ownerId: number;
  clientId: number;
  email: string;
  fullName: string;
  comment: string;
  /** SMTP transactions so far; this one has number attempts + 1. */
  attempts: number;
  tries: number;
  breaks: number;
  lostReplies: number;
  onUnknown: UnknownPolicy;
}
