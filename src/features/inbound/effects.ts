import type { Sql, Transaction } from '../../database/database';
import type { MailingCode } from '../../domain/codes';
import type { InboundVerdict } from '../../domain/inbound-decision';
import { SMTP_REASONS } from '../../domain/smtp-ruling';
import { noteSoftBounce } from '../consent/address-health';
import { domainOf, suppressBounced } from '../consent/suppression-sql';
import { suppress } from '../consent/suppressions';
import { noteEvent } from '../ledger/events';
import type { OwnLetter } from './match';

/** A mailing has to be paused. */
export interface Parked {
  mailingId: number;
  code: MailingCode;
  text: string;
}

/** A judged letter, and the one of ours that it is about. */
export interface Judgement {
  verdict: InboundVerdict;
  own: OwnLetter;
  inboundId: number;
  receivedAt: Date;
}

/**
 * So many letters that came back within an hour for one reason that is ours pause their mailing, if they are this share
 * of those that it sent within a day, to so many domains.
 */
const OUR_FAULT_MAX = 20;
const OUR_FAULT_SHARE = 0.01;
const OUR_FAULT_DOMAINS = 3;
/** About this recipient's rules or this letter's size, although the sender is to blame. */
const NOT_ABOUT_US: ReadonlySet<string> = new Set(['policy_refused', 'message_too_large']);
/** Complaints of a day pause a mailing at this share of its letters to the provider, if there are so many of both. */
const COMPLAINT_SHARE = 0.003;
const COMPLAINTS_MIN = 3;
const SENT_MIN = 1_000;

const SOURCE = 'inbound';
const ONE = 'SELECT $1::text AS email, $2::bigint AS owner_id, $3::text AS detail, $4::bigint AS delivery_id';
const BOUNCED = suppressBounced(ONE, SOURCE);
const BOUNCED_OF_OWNER = suppressBounced(ONE, SOURCE, 'owner');

/** Does what follows from a verdict, in the transaction that notes it. Harmless to repeat. */
export async function carryOut(tx: Transaction, judgement: Judgement): Promise<Parked | null> {
  const { verdict, own } = judgement;
  // What stands for an erased address is none.
  const email = own.email.includes('@') ? own.email : null;
  switch (verdict.kind) {
    case 'hard':
      await noteIt(tx, judgement, 'bounced');
      // Who sees the owner's letters can make up a report with their Message-IDs: it binds only the owner.
      if (email !== null)
        await tx.affected(own.by === 'message-id' ? BOUNCED_OF_OWNER : BOUNCED, [
          email,
          own.ownerId,
          said(verdict),
          own.deliveryId,
        ]);
      return null;
    case 'soft':
      return soft(tx, judgement, email);
    case 'complaint':
      return complaint(tx, judgement, email);
    case 'auto-reply':
      await noteIt(tx, judgement, 'auto_replied');
      return null;
    case 'ignore':
      if (verdict.reason === 'delayed') await noteIt(tx, judgement, 'delayed');
      return null;
    case 'unsubscribe':
      return null;
  }
}

async function soft(tx: Transaction, judgement: Judgement, email: string | null): Promise<Parked | null> {
  const { verdict, own, receivedAt } = judgement;
  const isNew = await noteIt(tx, judgement, 'soft_bounced');
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
  return verdict.blame === 'sender' && isNew ? ourFault(tx, judgement) : null;
}

async function ourFault(tx: Transaction, { verdict, own }: Judgement): Promise<Parked | null> {
  const code = SMTP_REASONS.find((reason) => reason === verdict.reason);
  if (!code || NOT_ABOUT_US.has(code)) return null;
  const lately = await tx.first<{ n: number; domains: number }>(
    `SELECT count(*) AS n, count(DISTINCT ${domainOf('d.email')}) AS domains
       FROM delivery_events e JOIN mailings m ON m.id = e.mailing_id JOIN deliveries d ON d.id = e.delivery_id
      WHERE e.mailing_id = $1 AND e.kind = 'soft_bounced' AND e.blame = 'sender' AND e.reason = $2
        AND e.created_at > greatest(m.status_since, app_now() - interval '1 hour')`,
    [own.mailingId, code],
  );
  const n = lately?.n ?? 0;
  if (n < OUR_FAULT_MAX || (lately?.domains ?? 0) < OUR_FAULT_DOMAINS) return null;
  // Counted only as far as it matters.
  const enough = Math.floor(n / OUR_FAULT_SHARE) + 1;
  const sent = await tx.first<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT FROM attempts WHERE mailing_id = $1 AND status = 'ok'
        AND created_at > app_now() - interval '1 day' LIMIT $2) letters`,
    [own.mailingId, enough],
  );
  return (sent?.n ?? 0) < enough ? { mailingId: own.mailingId, code, text: said(verdict) } : null;
}

async function complaint(tx: Transaction, judgement: Judgement, email: string | null): Promise<null> {
  const { verdict, own } = judgement;
  const { ownerId, deliveryId } = own;
  await noteIt(tx, judgement, 'complained');
  if (email === null) return null;
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
  return null;
}

/**
 * Whether too many of a mailing's letters to one domain were complained about within a day, since it was last started.
 * Letters are counted only as far as they matter, and only once there are some complaints.
 */
export async function tooManyComplain(tx: Sql, mailingId: number, domain: string): Promise<boolean> {
  const since = `greatest(m.status_since, app_now() - interval '1 day')`;
  const complaints = await tx.first<{ n: number }>(
    `SELECT count(*) AS n FROM delivery_events e JOIN mailings m ON m.id = e.mailing_id
       JOIN deliveries d ON d.id = e.delivery_id
      WHERE e.mailing_id = $1 AND e.kind = 'complained' AND e.created_at > ${since} AND ${domainOf('d.email')} = $2`,
    [mailingId, domain],
  );
  const n = complaints?.n ?? 0;
  if (n < COMPLAINTS_MIN) return false;
  const enough = Math.max(SENT_MIN, Math.floor(n / COMPLAINT_SHARE)) + 1;
  const sent = await tx.first<{ n: number }>(
    `SELECT count(*) AS n FROM (
       SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
        WHERE a.mailing_id = $1 AND a.status = 'ok' AND a.created_at > app_now() - interval '1 day'
          AND ${domainOf('d.email')} = $2 LIMIT $3) letters`,
    [mailingId, domain, enough],
  );
  const letters = sent?.n ?? 0;
  return letters >= SENT_MIN && letters < enough && n >= COMPLAINT_SHARE * letters;
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
