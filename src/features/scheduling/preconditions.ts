import type { Database, Transaction } from '../../database/database';
import { ConflictError, type DomainError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { type MailingStatus, type MailingVerb, mailingVerbs } from '../../domain/states';
import { audit, type AuditAction, type AuditDetail } from '../audit/audit';
import { audienceOf, isCounted } from '../audiences/audiences';
import { settleClients } from '../clients/clients.service';
import type { Mailing } from '../mailings/mailing.entity';
import { recipientsOf, refusedAllowances } from '../runs/allowance';

export const MAILING_DUE = () =>
  new ConflictError('MAILING_DUE', 'Its time came meanwhile, so it would go out at once. Nothing was sent.');

export const MAILING_ENDED = () =>
  new ConflictError('MAILING_ENDED', 'The end of the mailing has passed. Give it a later end before it starts.');

export const auditMailing = (
  tx: Transaction,
  viewer: Viewer,
  action: AuditAction,
  id: number,
  detail?: Pick<AuditDetail, 'name'>,
) => audit(tx, viewer, action, { type: 'mailing', id }, detail);

/** @throws ConflictError MAILING_… if this is not done to a mailing of its status */
export function requireStatus(mailing: Mailing, verb: MailingVerb): void {
  if (mailingVerbs[verb].some((status) => status === mailing.status)) return;
  throw new ConflictError(
    `MAILING_${mailing.status.toUpperCase() as Uppercase<MailingStatus>}`,
    `Mailing ${mailing.id} is ${mailing.status} and cannot be ${verb}.`,
  );
}

/** A repeated mailing to a segment may have no recipients today: whoever matches later gets a later occurrence. */
export const fillsLater = (mailing: Mailing): boolean => mailing.period !== 'once' && !isCounted(mailing);

/** @throws ConflictError MAILING_EMPTY */
export async function requireRecipients(sql: Database | Transaction, mailing: Mailing): Promise<void> {
  const recipients = await recipientsOf(sql, [mailing.id]);
  if (!recipients.get(mailing.id)) throw new ConflictError('MAILING_EMPTY', `Mailing ${mailing.id} has no recipients.`);
}

/**
 * Call it before a mailing starts whose audience grows: a client who is being added at the moment is either planned
 * with the run or finds the mailing started.
 */
export async function settleAudience(tx: Transaction, mailing: Mailing): Promise<void> {
  if (audienceOf(mailing).grows) await settleClients(tx);
}

/**
 * For each of these mailings why its owner may not send it (or, if it sends nothing yet, start it) now; null if they
 * may.
 */
export async function refusedMailings(
  tx: Database | Transaction,
  mailings: Mailing[],
  lettersPerDay: number,
  { sends, locks = true }: { sends: boolean; locks?: boolean },
): Promise<(DomainError | null)[]> {
  const letters = sends
    ? await recipientsOf(
        tx,
        mailings.map(({ id }) => id),
      )
    : new Map<number, number>();
  const wanted = mailings.map(({ id, ownerId }) => ({ ownerId, letters: letters.get(id) ?? 0 }));
  return refusedAllowances(tx, wanted, lettersPerDay, locks);
}

/** @throws DomainError LETTERS_PER_DAY, OWNER_BLOCKED */
export async function requireAllowance(
  tx: Transaction,
  mailing: Mailing,
  lettersPerDay: number,
  what: { sends: boolean },
): Promise<void> {
  const [refused] = await refusedMailings(tx, [mailing], lettersPerDay, what);
  if (refused) throw refused;
}
