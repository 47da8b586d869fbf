import type { Database } from '../../database/database';
import { heldClaims } from './claims';
import { asItsRun, may, to } from './move-sql';

const BATCH = 1_000;

const TAKE_OVER = `
  WITH
   -- The claims as they were read before, with their workers.
   claims AS (SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS c(id, worker_id)),
   -- The workers of these that do not live.
   dead AS (
     SELECT DISTINCT c.worker_id AS id FROM claims c
      WHERE NOT EXISTS (SELECT FROM workers w WHERE w.id = c.worker_id AND w.stopped_at IS NULL)),
   -- The deliveries that they still claim, locked in id order; whoever else has locked one is left alone.
   held AS (
     SELECT d.id, d.run_id FROM claims c JOIN dead ON dead.id = c.worker_id
       JOIN deliveries d ON d.id = c.id AND d.claimed_by = c.worker_id AND ${may('takeOver')}
      ORDER BY d.id FOR UPDATE OF d SKIP LOCKED),
   -- Their runs. Also if a close of the run is under way: it has seen these as sending and will not close them.
   found AS MATERIALIZED (
     SELECT r.id, r.mailing_id, r.owner_id, r.on_unknown, r.status, r.reason FROM runs r
      WHERE r.id IN (SELECT run_id FROM held) ORDER BY r.id FOR KEY SHARE),
   -- Where each delivery goes: by whether it was offered, by the policy and by the state of its run.
   moved AS (
     UPDATE deliveries d SET
         status = CASE WHEN d.offered AND again THEN ${to('takeOver', 'deferred')}
                       WHEN d.offered THEN ${to('takeOver', 'unknown')}
                       WHEN live THEN ${to('takeOver', 'pending')} ELSE ${asItsRun()} END,
         next_attempt_at = CASE WHEN d.offered AND again THEN app_now() + $1 * interval '1 millisecond' END,
         reason = CASE WHEN d.offered THEN 'worker_lost' WHEN NOT live THEN r.reason END,
         attempts = d.attempts + d.offered::int, lost_replies = d.lost_replies + d.offered::int,
         claimed_by = NULL, offered = true, updated_at = app_now()
       FROM held, found r, deliveries old, LATERAL (SELECT r.status IN ('planning', 'sending') AS live) l,
            LATERAL (SELECT r.on_unknown = 'resend' AND old.lost_replies = 0 AND live AS again) a
      WHERE d.id = held.id AND r.id = d.run_id AND old.id = d.id
     RETURNING d.id, d.run_id, d.client_id, r.mailing_id, r.owner_id, d.attempts, old.claimed_by AS worker_id,
               old.offered AS tried),
   -- The unknown attempts of those that may have been sent.
   written AS (
     INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status,
                           reason, server_response)
     SELECT id, run_id, mailing_id, owner_id, client_id, worker_id, attempts, 'unknown', 'worker_lost',
            'The worker that was sending this letter stopped before it could write down the answer.'
       FROM moved WHERE tried)
   SELECT tried FROM moved`;

/**
 * It is not known whether a claim of a dead worker was sent: its attempt becomes `unknown`, and the mailing's policy
 * decides. A claim that was not `offered` was certainly not sent: it is pending again, or ends as its run did. A worker
 * is dead if it stopped or was marked as silent (WorkerRegistry). It can't use its claims later: its process notices
 * that it was silent and drops them.
 */
export async function takeOver(
  database: Database,
  unknownGraceMs: number,
): Promise<{ takenOver: number; givenBack: number }> {
  const claims = await heldClaims(database);
  let takenOver = 0;
  let givenBack = 0;
  for (let from = 0; from < claims.length; from += BATCH) {
    const some = claims.slice(from, from + BATCH);
    const taken = await database.transaction((tx) =>
      tx.rows<{ tried: boolean }>(TAKE_OVER, [
        unknownGraceMs,
        some.map((claim) => claim.id),
        some.map((claim) => claim.claimedBy),
      ]),
    );
    const tried = taken.filter((claim) => claim.tried).length;
    takenOver += tried;
    givenBack += taken.length - tried;
  }
  return { takenOver, givenBack };
}
