import type { Database } from '../../database/database';
import type { AttemptStatus, DeliveryStatus } from '../../domain/states';
import { writeLedger } from './ledger';

/** What one claim came to: the attempt, if the transaction had begun, and where the delivery goes. */
export interface DeliveryRecord {
  deliveryId: number;
  /** Null if nothing was tried (DNS, connect, TLS, login, fenced, held): the claim is only given back. */
  attempt: {
    number: number;
    status: AttemptStatus;
    replyCode: number | null;
    enhancedCode: string | null;
    serverResponse: string;
    durationMs: number;
  } | null;
  status: DeliveryStatus;
  reason: string | null;
  triesUsed: 0 | 1;
  breaks: 0 | 1;
  lostReplies: 0 | 1;
  /** For `deferred`: from now on the database's clock. */
  delayMs: number | null;
}

/**
 * Writes attempts and the deliveries' new states, each with its attempt in one transaction. Only a claim that is still this
 * worker's is recorded. If it was taken over meanwhile, the `unknown` attempt that stands in its place is turned into what
 * the server really answered, and the delivery follows if nothing else has happened to it. A delivery that wants to go on
 * although its run was closed ends as the run did. Harmless to repeat.
 */
export async function recordDeliveries(database: Database, workerId: number, records: DeliveryRecord[]): Promise<void> {
  await writeLedger(
    database,
    workerId,
    records.map((record) => ({ record })),
  );
}
