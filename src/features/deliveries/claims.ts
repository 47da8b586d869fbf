import type { Database } from '../../database/database';
import type { UnknownPolicy } from '../../domain/states';
import { writeLedger } from './ledger';

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

/**
 * Claims deliveries by compare-and-set, durably before it returns: whoever else has a job for them gets nothing. Only of
 * runs that are sending, not paused and not ended. The run is taken FOR KEY SHARE, which waits for a pause or finish that
 * holds it FOR UPDATE and then sees its result: no claim is committed after their answer.
 *
 * A claim of this very worker is given out again, because the answer to it may have been lost; so callers must not ask for
 * a delivery that they hold.
 * @returns for each id its claim, or null: somebody else has it, it is final, not due, or its run is not sending
 */
export function claimDeliveries(database: Database, workerId: number, ids: number[]): Promise<(Claim | null)[]> {
  return writeLedger(
    database,
    workerId,
    ids.map((claim) => ({ claim })),
  );
}
