import type { Database, Transaction } from '../../database/database';
import type { Claim } from '../ledger/claims';
import { answerLate, lockTakenOver, noteLateAnswer, suppressLate } from '../ledger/late-answers';
import { type Entry, writeEntries } from '../ledger/ledger';
import type { DeliveryRecord } from '../ledger/records';
import { lockRunsThatGoOn, reopenRuns } from '../runs/run-moves';
import { leftToOtherRuns } from '../runs/sending-tree';

/**
 * Writes claims and records (`writeEntries`), and, each in a transaction of its own, answers that came after their
 * claim was taken over.
 */
export async function writeLedger(database: Database, workerId: number, entries: Entry[]): Promise<(Claim | null)[]> {
  const { answers, late } = await writeEntries(database, workerId, entries);
  for (const record of late) await database.transaction((tx) => correctLate(tx, workerId, record));
  return answers;
}

/**
 * The server's answer to an attempt that was taken over as `unknown` meanwhile. The delivery follows if nothing was
 * tried since; otherwise the attempt stays `unknown`, because another copy may be out, and only the answer is noted. If
 * the delivery is to be tried again, a run that is done meanwhile is reopened; if that is no longer allowed, or if the
 * letter was sent again by another run meanwhile, the delivery has failed.
 */
async function correctLate(tx: Transaction, workerId: number, record: DeliveryRecord): Promise<void> {
  const { attempt, status } = record;
  if (!attempt || attempt.status === 'unknown') return;
  const isFinal = status === 'sent' || status === 'failed';
  const runs = isFinal ? [] : await runOf(tx, record.deliveryId);
  const goOn = isFinal ? [] : await lockRunsThatGoOn(tx, runs);
  const delivery = await lockTakenOver(tx, record.deliveryId, attempt.number);
  const noted = await noteLateAnswer(tx, workerId, record, attempt, delivery?.follows ? attempt.status : 'unknown');
  if (noted) await suppressLate(tx, record.deliveryId, attempt.number);
  if (!noted || !delivery?.follows) return;
  if (isFinal) return void (await answerLate(tx, record, status));
  const [{ runId } = { runId: 0 }] = runs;
  const isLeft = (await leftToOtherRuns(tx, runId, [record.deliveryId])).size > 0;
  if (!isLeft) await reopenRuns(tx, goOn);
  await answerLate(tx, record, !isLeft && (delivery.live || goOn.length > 0) ? 'deferred' : 'failed');
}

const runOf = (tx: Transaction, deliveryId: number) =>
  tx.rows<{ runId: number; mailingId: number }>(
    'SELECT r.id AS run_id, r.mailing_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1',
    [deliveryId],
  );
