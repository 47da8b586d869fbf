import type { Sql } from '../../database/database';
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

/**
 * Claims deliveries by compare-and-set, durably before it returns: whoever else has a job for them gets nothing. Only of
 * runs that are sending, not paused and not ended. The run is taken FOR KEY SHARE, which waits for a pause or finish that
 * holds it FOR UPDATE and then sees its result: no claim is committed after their answer.
 *
 * A claim of this very worker is given out again, because the answer to it may have been lost; so callers must not ask for
 * a delivery that they hold.
 * @returns for each id its claim, or null: somebody else has it, it is final, not due, or its run is not sending
 */
export async function claimDeliveries(sql: Sql, workerId: number, ids: number[]): Promise<(Claim | null)[]> {
  const claims = await sql.rows<Claim>(
    `WITH live AS MATERIALIZED (
       SELECT r.id, r.mailing_id, r.owner_id, r.on_unknown FROM runs r
        WHERE r.id IN (SELECT d.run_id FROM deliveries d WHERE d.id = ANY($1::bigint[]))
          AND r.status = 'sending' AND r.paused_at IS NULL AND (r.end_at IS NULL OR r.end_at > app_now())
        ORDER BY r.id FOR KEY SHARE),
     claimed AS (
       UPDATE deliveries d SET status = 'sending', claimed_by = $2, next_attempt_at = NULL, reason = NULL, updated_at = app_now()
         FROM live
        WHERE d.id = ANY($1::bigint[]) AND d.run_id = live.id
          AND (d.status = 'pending' OR (d.status = 'deferred' AND d.next_attempt_at <= app_now())
               OR (d.status = 'sending' AND d.claimed_by = $2))
       RETURNING d.id, d.run_id, live.mailing_id, live.owner_id, live.on_unknown, d.client_id, d.email, d.attempts, d.tries,
                 d.breaks, d.lost_replies)
     SELECT claimed.*, coalesce(c.full_name, '') AS full_name, coalesce(c.comment, '') AS comment
       FROM claimed LEFT JOIN clients c ON c.id = claimed.client_id`,
    [ids, workerId],
  );
  const byId = new Map(claims.map((claim) => [claim.id, claim]));
  return ids.map((id) => byId.get(id) ?? null);
}
