import type { MovedTo } from '../../domain/delivery-moves';
import type { AttemptStatus } from '../../domain/states';

/** The result of one claim: the attempt, if the transaction had begun, and the delivery's next state. */
export interface DeliveryRecord {
  deliveryId: number;
  /** Null if nothing was tried (DNS, connect, TLS, login, fenced, domain rests): the claim is only given back. */
  attempt: {
    number: number;
    status: AttemptStatus;
    replyCode: number | null;
    enhancedCode: string | null;
    serverResponse: string;
    durationMs: number;
    /** The fingerprint of a refusal that names no recipient. */
    refusal?: string | null;
  } | null;
  status: MovedTo<'record'>;
  reason: string | null;
  triesUsed: 0 | 1;
  breaks: 0 | 1;
  lostReplies: 0 | 1;
  /** For `deferred`: from now on the database's clock. */
  delayMs: number | null;
}
