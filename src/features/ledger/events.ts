import type { Transaction } from '../../database/database';
import type { DeliveryEvent } from '../../domain/suppression';
import { storable } from '../../domain/storable';

export interface NewEvent {
  deliveryId: number;
  kind: DeliveryEvent;
  source: string;
  reason?: string | null;
  enhancedCode?: string | null;
  /** What was said, as it came. */
  reply?: string | null;
  blame?: 'recipient' | 'sender' | null;
  /** The incoming letter that says so. */
  inboundId?: number;
}

/**
 * Notes what became known about a delivery, beside its status. Harmless to repeat; nothing is noted for a delivery that
 * is gone. A letter comes back for good once, whatever its reports say; there may be several warnings of a delay.
 * @returns whether it was not known before
 */
export async function noteEvent(tx: Transaction, event: NewEvent): Promise<boolean> {
  const { deliveryId, kind, source, reason, enhancedCode, reply, blame, inboundId } = event;
  // Two letters about one delivery may be judged at the same time.
  if (kind === 'soft_bounced' || kind === 'delayed')
    await tx.rows(`SELECT pg_advisory_xact_lock(hashtext('delivery_events'), ($1::bigint % 2147483647)::integer)`, [
      deliveryId,
    ]);
  const added = await tx.affected(
    `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source, reason,
                                  enhanced_code, reply, blame, inbound_id)
     SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, $2, $3, $4, $5, $6, $7, $8
       FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1
        AND NOT EXISTS (SELECT FROM delivery_events e WHERE e.delivery_id = $1 AND e.kind = $2
                           AND (e.kind <> 'delayed' OR e.inbound_id = $8::bigint))
     ON CONFLICT DO NOTHING`,
    [
      deliveryId,
      kind,
      source,
      reason ?? null,
      storable(enhancedCode ?? null),
      storable(reply ?? null),
      blame ?? null,
      inboundId ?? null,
    ],
  );
  return added > 0;
}
