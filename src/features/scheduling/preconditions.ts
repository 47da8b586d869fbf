import type { Sql, Transaction } from '../../database/database';
import { ConflictError, type DomainError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { type MailingStatus, mailingTransitions } from '../../domain/states';
import { audit, type AuditAction, type AuditDetail } from '../audit/audit';
import { settleClients } from '../clients/clients.service';
import type { Mailing } from '../mailings/mailing.entity';
import { recipientsOf, refusedAllowances } from '../runs/allowance';

export const MAILING_ENDED = () =>
  new ConflictError('MAILING_ENDED', 'The end of the mailing has passed. Give it a later end before it starts.');

export const auditMailing = (
  tx: Transaction,
  viewer: Viewer,
  action: AuditAction,
  id: number,
  detail?: Pick<AuditDetail, 'name'>,
) => audit(tx, viewer, action, { type: 'mailing', id }, detail);

/** @throws ConflictError MAILING_… if the mailing's status is none of those allowed */
export function requireStatus(mailing: Mailing, verb: string, allowed: MailingStatus[]): void {
  if (allowed.includes(mailing.status)) return;
  const article = mailingTransitions[mailing.status].length === 0 ? 'is done' : `is ${mailing.status}`;
  throw new ConflictError(
    `MAILING_${mailing.status.toUpperCase() as Uppercase<MailingStatus>}`,
    `Mailing ${mailing.id} ${article} and can not be ${verb}.`,
  );
}

/** @throws ConflictError MAILING_EMPTY */
export async function requireRecipients(sql: Sql, mailing: Mailing): Promise<void> {
  const any = await sql.first<{ found: boolean }>(
    mailing.audience === 'all'
      ? 'SELECT EXISTS (SELECT FROM clients WHERE owner_id = $1) AS found'
      : 'SELECT EXISTS (SELECT FROM mailing_clients WHERE mailing_id = $1) AS found',
    [mailing.audience === 'all' ? mailing.ownerId : mailing.id],
  );
  if (!any?.found) throw new ConflictError('MAILING_EMPTY', `Mailing ${mailing.id} has no recipients.`);
}

/** Before a mailing to all starts: whoever is being added sees it started or is added when it is planned. */
export async function settleAudience(tx: Transaction, mailing: Mailing): Promise<void> {
  if (mailing.audience === 'all') await settleClients(tx);
}

/** For each of these mailings why its owner may not have it sent (or, if it sends nothing yet, started) now; null: they may. */
export async function refusedMailings(
  tx: Transaction,
  mailings: Mailing[],
  lettersPerDay: number,
  { sends }: { sends: boolean },
): Promise<(DomainError | null)[]> {
  const letters = sends
    ? await recipientsOf(
        tx,
        mailings.map(({ id }) => id),
      )
    : new Map<number, number>();
  const wanted = mailings.map(({ id, ownerId }) => ({ ownerId, letters: letters.get(id) ?? 0 }));
  return refusedAllowances(tx, wanted, lettersPerDay);
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
