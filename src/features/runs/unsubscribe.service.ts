import { Injectable } from '@nestjs/common';
import { failpoint } from '../../config/failpoint';
import { Database, type Sql, type Transaction } from '../../database/database';
import type { AddressToken } from '../../domain/address-token';
import type { Viewer } from '../../domain/permissions';
import type { SuppressionSource } from '../../domain/suppression';
import type { Language } from '../../domain/language';
import { chooseTopics, type ChosenTopics, type Topic, topicsOf } from '../clients/signed-up';
import { LinkKeys } from '../consent/link-keys.service';
import { liftUnsubscribed, suppress } from '../consent/suppressions';
import { type NewSuppressionInput, SuppressionsService, type SuppressionView } from '../consent/suppressions.service';
import { noteEvent } from '../ledger/events';
import { skipSuppressed } from '../ledger/moves';
import { RunsService } from './runs.service';

/** `owner`: all mailings of the letter's owner; `mailing`: only the one that it came by. */
export type Scope = 'owner' | 'mailing';

/** What the page behind a letter's link shows. */
export interface WayOut {
  isTest: boolean;
  /** Null where the ledger does not know the letter any more. */
  email: string | null;
  sender: string | null;
  mailing: string | null;
  language: Language | null;
  /** What the person has unsubscribed from at present. */
  unsubscribed: Scope | null;
  /** The owner's public tags; none if the person is not a client any more. */
  topics: Topic[];
}

/** What people do by the links in their letters. The link alone identifies them, and can do nothing else. */
@Injectable()
export class UnsubscribeService {
  constructor(
    private readonly database: Database,
    private readonly keys: LinkKeys,
    private readonly suppressions: SuppressionsService,
    private readonly runs: RunsService,
  ) {}

  /** Changes nothing. @returns null for a link that is not ours */
  async look(link: string): Promise<WayOut | null> {
    const token = await this.keys.tokenOf(link);
    if (!token) return null;
    const letter = await this.database.first<Omit<WayOut, 'isTest' | 'unsubscribed' | 'topics'>>(
      `SELECT CASE WHEN address_hash(d.email) = $2 THEN d.email END AS email, r.sender, r.mailing_name AS mailing,
        r.language
         FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1`,
      [token.deliveryId, token.addressHash],
    );
    const known = await this.database.rows<{ mailingId: number | null }>(
      `SELECT mailing_id FROM suppressions
        WHERE owner_id = $1 AND address_hash = $2 AND reason = 'unsubscribed' AND lifted_at IS NULL
          AND (mailing_id IS NULL OR mailing_id = $3)`,
      [token.ownerId, token.addressHash, token.mailingId],
    );
    const clientId = await clientOf(this.database, token);
    const isAll = known.some(({ mailingId }) => mailingId === null);
    return {
      ...(letter ?? { email: null, sender: null, mailing: null, language: null }),
      isTest: token.kind === 'test',
      unsubscribed: isAll ? 'owner' : known.length > 0 ? 'mailing' : null,
      topics: clientId === null ? [] : await topicsOf(this.database, token.ownerId, clientId),
    };
  }

  /**
   * After this has returned, no letter goes to that address but those whose claims were committed before. First the
   * suppression is committed, then its open deliveries are moved, in a second transaction: in a single one, a claim
   * could begin between the two statements and see neither. Harmless to repeat.
   * @returns false for a link that is not ours
   */
  async leave(link: string, scope: Scope, source: 'one_click' | 'page'): Promise<boolean> {
    const token = await this.keys.tokenOf(link);
    if (token?.kind === 'unsubscribe') await this.leaveBy(token, scope, source);
    return token !== null;
  }

  /**
   * As `leave`, by a letter that came back from this delivery's recipient (`mailto`), or by what a mail provider
   * reports (`inbound`): from all mailings of its owner.
   * @returns false if the ledger does not know the letter, or its recipient was erased
   */
  async leaveByMail(deliveryId: number, source: 'mailto' | 'inbound' = 'mailto'): Promise<boolean> {
    const letter = await this.database.first<Pick<AddressToken, 'ownerId' | 'mailingId' | 'addressHash'>>(
      `SELECT r.owner_id, r.mailing_id, address_hash(d.email) AS address_hash
         FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1 AND d.email LIKE '%@%'`,
      [deliveryId],
    );
    if (letter) await this.leaveBy({ ...letter, deliveryId }, 'owner', source);
    return letter !== undefined;
  }

  private async leaveBy(
    token: Omit<AddressToken, 'kind'>,
    scope: Scope,
    source: 'one_click' | 'page' | 'mailto' | 'inbound',
  ): Promise<void> {
    const mailingId = scope === 'mailing' ? token.mailingId : null;
    const emailKey = await this.database.transaction(async (tx) => {
      const emailKey = await addressOf(tx, token);
      const { ownerId, addressHash, deliveryId } = token;
      await suppress(tx, { ownerId, mailingId, emailKey, addressHash, reason: 'unsubscribed', source, deliveryId });
      await noteEvent(tx, { deliveryId, kind: 'unsubscribed', source, reason: scope });
      return emailKey;
    });
    failpoint('unsubscribed');
    if (emailKey !== null) await this.skip({ emailKey, ownerId: token.ownerId, mailingId });
  }

  /**
   * By hand. After this has returned, no letter of the viewer's goes to that address but those whose claims were
   * committed before.
   * @throws ValidationError
   */
  async suppress(viewer: Viewer, input: NewSuppressionInput, source: SuppressionSource): Promise<SuppressionView> {
    const added = await this.suppressions.add(viewer, input, source);
    if (added.email !== null)
      await this.skip({ emailKey: added.email, ownerId: added.ownerId, mailingId: added.mailingId });
    return added;
  }

  private async skip(of: { emailKey: string; ownerId: number | null; mailingId: number | null }): Promise<void> {
    const runIds = await this.database.transaction((tx) => skipSuppressed(tx, of));
    if (runIds.length > 0) await this.runs.finishIfDrained(runIds);
  }

  /**
   * They want the letters again; nothing that was skipped meanwhile is sent. @returns false for a link that is not ours
   */
  async comeBack(link: string): Promise<boolean> {
    const token = await this.keys.tokenOf(link);
    if (!token) return false;
    if (token.kind === 'test') return true;
    await this.database.transaction(async (tx) => {
      const lifted = await liftUnsubscribed(tx, token.ownerId, token.addressHash);
      if (lifted > 0) await noteEvent(tx, { deliveryId: token.deliveryId, kind: 'resubscribed', source: 'page' });
    });
    return true;
  }

  /**
   * Gives the client the ticked ones of the topics that were shown (none named: that are shown now); other tags stay.
   * Does nothing for who is not a client any more. @returns false for a link that is not ours
   */
  async choose(link: string, { shown, ticked }: ChosenTopics): Promise<boolean> {
    const token = await this.keys.tokenOf(link);
    if (!token) return false;
    await this.database.transaction(async (tx) => {
      const clientId = await clientOf(tx, token);
      if (clientId === null) return;
      const all = shown.length > 0 ? shown : (await topicsOf(tx, token.ownerId, clientId)).map(({ id }) => id);
      await chooseTopics(tx, token.ownerId, clientId, { shown: all, ticked });
    });
    return true;
  }
}

/** The client to whom a real letter went, if the address is still theirs. */
async function clientOf(sql: Sql, { kind, ownerId, deliveryId, addressHash }: AddressToken): Promise<number | null> {
  if (kind === 'test') return null;
  const client = await sql.first<{ id: number }>(
    `SELECT c.id FROM deliveries d JOIN clients c ON c.id = d.client_id
      WHERE d.id = $1 AND c.owner_id = $2 AND address_hash(c.email) = $3`,
    [deliveryId, ownerId, addressHash],
  );
  return client?.id ?? null;
}

/**
 * The address that a link stands for, as it is compared: the ledger has it, else the owner's clients; null if nobody
 * knows it any more. Only if the ledger's row is gone, all of the owner's clients are searched, once for an address.
 */
async function addressOf(
  tx: Transaction,
  { ownerId, deliveryId, addressHash }: Omit<AddressToken, 'kind'>,
): Promise<string | null> {
  const known = await tx.first<{ key: string }>(
    `SELECT lower(email) AS key FROM deliveries WHERE id = $1 AND address_hash(email) = $2
     UNION ALL
     SELECT email_key FROM suppressions WHERE owner_id = $3 AND address_hash = $2 AND email_key IS NOT NULL LIMIT 1`,
    [deliveryId, addressHash, ownerId],
  );
  if (known) return known.key;
  const asked = await tx.first(
    'SELECT id FROM suppressions WHERE owner_id = $1 AND address_hash = $2 AND lifted_at IS NULL LIMIT 1',
    [ownerId, addressHash],
  );
  if (asked) return null;
  const client = await tx.first<{ key: string }>(
    'SELECT lower(email) AS key FROM clients WHERE owner_id = $1 AND address_hash(email) = $2',
    [ownerId, addressHash],
  );
  return client?.key ?? null;
}
