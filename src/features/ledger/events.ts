import type { Transaction } from '../../database/database';
import type { DeliveryEvent } from '../../domain/suppression';

export interface NewEvent {
  deliveryId: number;
  kind: DeliveryEvent;
  source: string;
  reason?: string;
}

/**
 * Notes what became known about a delivery, beside its status. Harmless to repeat; nothing is noted for a delivery that
 * is gone.
 */
export const noteEvent = (tx: Transaction, { deliveryId, kind, source, reason }: NewEvent) =>
  tx.affected(
    `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source, reason)
     SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, $2, $3, $4
       FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1
     ON CONFLICT DO NOTHING`,
    [deliveryId, kind, source, reason ?? null],
  );
