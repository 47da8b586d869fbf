import type { Transaction } from '../../database/database';
import type { MovedTo } from '../../domain/delivery-moves';
import type { AttemptStatus } from '../../domain/states';
import { storable } from '../../domain/storable';
import { isHardBounced, suppressBounced } from '../consent/suppression-sql';
import { may } from './move-sql';
import type { DeliveryRecord } from './records';

/**
 * Locks the delivery before its attempts, the order in which everybody locks. `follows`: nothing was tried since that
 * attempt.
 */
export const lockTakenOver = (tx: Transaction, deliveryId: number, attemptNumber: number) =>
  tx.first<{ follows: boolean; live: boolean }>(
    `SELECT d.attempts = $2 AND ${may('answerLate')} AS follows, r.status IN ('planning', 'sending') AS live
       FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1 FOR NO KEY UPDATE OF d`,
    [deliveryId, attemptNumber],
  );

/** Writes the answer to the `unknown` attempt of this worker, unless its recipient was erased. @returns whether there was one */
export async function noteLateAnswer(
  tx: Transaction,
  workerId: number,
  { deliveryId, reason }: DeliveryRecord,
  attempt: NonNullable<DeliveryRecord['attempt']>,
  status: AttemptStatus,
): Promise<boolean> {
  const noted = await tx.affected(
    `UPDATE attempts SET status = $4, reason = $5, reply_code = $6, enhanced_code = $7, server_response = $8,
      duration_ms = $9, refusal = $10
      WHERE delivery_id = $1 AND attempt_number = $2 AND worker_id = $3 AND status = 'unknown'
        AND NOT EXISTS (SELECT FROM deliveries d WHERE d.id = $1 AND d.email LIKE 'erased:%')`,
    [
      deliveryId,
      attempt.number,
      workerId,
      status,
      attempt.status === 'ok' ? null : reason,
      attempt.replyCode,
      attempt.enhancedCode,
      storable(attempt.serverResponse),
      attempt.durationMs,
      attempt.refusal ?? null,
    ],
  );
  return noted > 0;
}

/** Moves the locked delivery according to the answer. */
export const answerLate = (tx: Transaction, record: DeliveryRecord, status: MovedTo<'answerLate'>) =>
  tx.affected(
    `UPDATE deliveries SET status = $2, reason = CASE $2 WHEN 'failed' THEN coalesce($3, reason) ELSE $3 END,
      tries = tries + $4,
            lost_replies = lost_replies - 1, updated_at = app_now(),
            next_attempt_at = CASE WHEN $2 = 'deferred' THEN app_now() + $5 * interval '1 millisecond' END
      WHERE id = $1 AND ${may('answerLate', 'status')}`,
    [record.deliveryId, status, record.reason, record.triesUsed, record.delayMs ?? 0],
  );

/** Suppresses the address of the locked delivery if that attempt's answer says that it gets no mail. */
export const suppressLate = (tx: Transaction, deliveryId: number, attemptNumber: number) =>
  tx.affected(
    suppressBounced(`SELECT d.email, a.owner_id, a.server_response AS detail, d.id AS delivery_id
      FROM deliveries d JOIN attempts a ON a.delivery_id = d.id AND a.attempt_number = $2
     WHERE d.id = $1 AND ${isHardBounced('a')}`),
    [deliveryId, attemptNumber],
  );
