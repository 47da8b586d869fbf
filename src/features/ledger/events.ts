import type { Transaction } from '../../database/database';
import type { DeliveryEvent } from '../../domain/suppression';

export interface NewEvent {
  deliveryId: number;
  kind: DeliveryEvent;
  source: string;
  enhancedCode?: string | null;
  reply?: string;
  reason?: string;
}

/**
 * What became known about a delivery, beside its status. Told twice, it is known once; a delivery that is gone has
 * none.
 */
export const noteEvent = (tx: Transaction, { deliveryId, kind, source, enhancedCode, reply, reason }: NewEvent) =>
  tx.affected(
    `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source, enhanced_code,
      reply, reason)
     SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, $2, $3, $4, $5, $6
       FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1
     ON CONFLICT DO NOTHING`,
    [deliveryId, kind, source, enhancedCode ?? null, reply ?? null, reason ?? null],
  );
