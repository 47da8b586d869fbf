import type { Transaction } from '../../database/database';
import type { InboundVerdict } from '../../domain/inbound-decision';
import { noteSoftBounce } from '../consent/address-health';
import { suppressBounced } from '../consent/suppression-sql';
import { suppress } from '../consent/suppressions';
import { noteEvent } from '../ledger/events';
import type { OwnLetter } from './match';

/** A judged letter, and the one of ours that it is about. */
export interface Judgement {
  verdict: InboundVerdict;
  own: OwnLetter;
  /** Null: the person was erased. */
  email: string | null;
  inboundId: number;
  receivedAt: Date;
}

const SOURCE = 'inbound';
const ONE = 'SELECT $1::text AS email, $2::bigint AS owner_id, $3::text AS detail, $4::bigint AS delivery_id';
const BOUNCED = suppressBounced(ONE, SOURCE);
const BOUNCED_OF_OWNER = suppressBounced(ONE, SOURCE, 'owner');

/** Does what follows from a verdict, in the transaction that notes it. Harmless to repeat. */
export async function carryOut(tx: Transaction, judgement: Judgement): Promise<void> {
  const { verdict, own, email } = judgement;
  switch (verdict.kind) {
    case 'hard':
      await noteIt(tx, judgement, 'bounced');
      // Who sees the owner's letters can make up a report with their Message-IDs: it binds only the owner.
      if (email !== null)
        await tx.affected(own.isSigned ? BOUNCED : BOUNCED_OF_OWNER, [
          email,
          own.ownerId,
          said(verdict),
          own.deliveryId,
        ]);
      return;
    case 'soft':
      return soft(tx, judgement);
    case 'complaint':
      return complaint(tx, judgement);
    case 'auto-reply':
      await noteIt(tx, judgement, 'auto_replied');
      return;
    case 'ignore':
      if (verdict.reason === 'delayed') await noteIt(tx, judgement, 'delayed');
      return;
    case 'unsubscribe':
      return;
  }
}

async function soft(tx: Transaction, judgement: Judgement): Promise<void> {
  const { verdict, own, email, receivedAt } = judgement;
  await noteIt(tx, judgement, 'soft_bounced');
  // What is known of an address's health binds everybody.
  if (verdict.blame === 'recipient' && email !== null && own.isSigned) {
    await noteSoftBounce(tx, {
      emailKey: email.toLowerCase(),
      at: receivedAt,
      isFull: verdict.reason === 'mailbox_full',
      reply: said(verdict),
      deliveryId: own.deliveryId,
      ownerId: own.ownerId,
    });
  }
}

async function complaint(tx: Transaction, judgement: Judgement): Promise<void> {
  const { verdict, own, email } = judgement;
  const { ownerId, deliveryId } = own;
  await noteIt(tx, judgement, 'complained');
  if (email === null) return;
  const hash = await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [email]);
  await suppress(tx, {
    ownerId: own.isSigned ? null : ownerId,
    listedFor: ownerId,
    mailingId: null,
    emailKey: email.toLowerCase(),
    addressHash: hash!.hash,
    reason: 'complaint',
    source: SOURCE,
    detail: verdict.reason,
    deliveryId,
  });
}

const said = ({ reply, reason }: InboundVerdict): string => (reply ?? reason).slice(0, 500).replaceAll('\0', '');

const noteIt = (
  tx: Transaction,
  { verdict, own, inboundId }: Judgement,
  kind: 'bounced' | 'soft_bounced' | 'delayed' | 'complained' | 'auto_replied',
) =>
  noteEvent(tx, {
    deliveryId: own.deliveryId,
    kind,
    source: SOURCE,
    reason: verdict.reason,
    enhancedCode: verdict.enhancedCode,
    reply: verdict.reply,
    blame: verdict.blame,
    inboundId,
  });
