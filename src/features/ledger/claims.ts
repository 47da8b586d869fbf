import type { Sql } from '../../database/database';
import type { UnknownPolicy } from '../../domain/states';

/** A delivery that only this worker may try now, with everything that composing and recording need. */
export interface Claim {
  id: number;
  runId: number;
  mailingId: number;
  ownerId: number;
  clientId: number;
  email: string;
  fullName: string;
  comment: string;
  /** The values of the owner's fields, as JSON: only the runs whose letters show some need them. */
  fields: string;
  /** SMTP transactions so far; this one has number attempts + 1. */
  attempts: number;
  tries: number;
  breaks: number;
  lostReplies: number;
  onUnknown: UnknownPolicy;
  /** If false, an `offer` entry has to be written before anything is sent to the server. */
  offered: boolean;
  /** Why its recipient must not get mail: then nothing is claimed, the delivery is skipped, which is final. */
  skippedFor: string | null;
}

/** A claim as it stands in the ledger. */
export interface HeldClaim {
  id: number;
  claimedBy: number;
}

/**
 * All present claims, of any worker. The counters say how many a run has, and they lie just above its floor: the search
 * ends when that many are found.
 */
export const heldClaims = (sql: Sql): Promise<HeldClaim[]> =>
  sql.rows(
    `SELECT d.id, d.claimed_by FROM runs r,
       LATERAL (SELECT coalesce(sum(sending), 0) AS n FROM run_counts WHERE run_id = r.id) held,
       open_deliveries(r.id, r.floor_id, 'sending', 0, held.n) d
      WHERE (r.status IN ('planning', 'sending') OR r.closing) AND held.n > 0`,
  );
