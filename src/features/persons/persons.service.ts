import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { ConflictError, invalid, NotFoundError } from '../../domain/errors';
import { parseEmailAddress } from '../../domain/email-address';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { eraseFromAccounts } from '../accounts/accounts.service';
import { audit, eraseMentions, mentions } from '../audit/audit';
import { eraseFromFilters } from './filters';
import { deleteClients } from '../clients/delete-clients';
import { eraseFromDrafts } from '../drafts/form-drafts.service';
import { eraseFromImports } from '../clients/erasure';
import { eraseHealth } from '../consent/address-health';
import { eraseSuppressed } from '../consent/suppressions';
import { eraseInbound } from '../inbound/erasure';
import { eraseLetters } from '../ledger/erasure';
import { settlePlanning, skipForgotten } from '../ledger/moves';
import { eraseNotices } from '../notices/erasure';
import { RunsService } from '../runs/runs.service';
import { eraseSignups } from '../signups/signup-records.service';
import { LETTERS, type Person, personAt, personOf } from './addresses';
import { exportPerson, type PersonExport } from './person-export';

/** A worker may still learn the answer to a letter of unknown outcome for so long. */
const ANSWER_MINUTES = 15;

/** How much was erased. */
export interface Erased {
  clients: number;
  letters: number;
}

type Found = { id: number; ownerId: number; email: string };

/** What a person may ask for: all that is kept about them, and that it is forgotten. */
@Injectable()
export class PersonsService {
  constructor(
    private readonly database: Database,
    private readonly runs: RunsService,
  ) {}

  /** All that the owner of this client keeps about them. @throws NotFoundError */
  async export(viewer: Viewer, clientId: number): Promise<PersonExport> {
    return this.database.transaction(async (tx) => {
      const client = await findClient(tx, clientId, readableOwner(viewer));
      if (!client) throw new NotFoundError('Client', clientId);
      return this.copy(tx, viewer, await personOf(tx, client), clientId);
    });
  }

  /** All that this installation keeps about an address. For its operator. */
  async exportAddress(viewer: Viewer, email: string): Promise<PersonExport> {
    return this.database.transaction(async (tx) => this.copy(tx, viewer, await personAt(tx, addressOf(email))));
  }

  private async copy(tx: Transaction, viewer: Viewer, person: Person, clientId?: number): Promise<PersonExport> {
    await audit(tx, viewer, 'person.export', { type: 'client', ...(clientId !== undefined && { id: clientId }) });
    return exportPerson(tx, person);
  }

  /**
   * Forgets a client and every address that the client had: the client is deleted; in the ledger a hash under a key
   * stands for the address, and of servers' answers only the codes stay; numbers and states stay. Who must not get mail
   * goes on getting none: their hash stays. What other owners keep stays theirs.
   * @throws NotFoundError
   * @throws ConflictError LETTER_UNDER_WAY: its answer would bring the address back; IMPORT_RUNNING: so might that
   */
  async erase(viewer: Viewer, clientId: number): Promise<Erased> {
    return this.forget(viewer, async (tx) => {
      const client = await findClient(tx, clientId, writableOwner(viewer));
      if (!client) throw await notWritable(tx, viewer, 'Client', clientId);
      return personOf(tx, client);
    });
  }

  /** Forgets an address in the whole installation. For its operator. @throws ConflictError LETTER_UNDER_WAY */
  async eraseAddress(viewer: Viewer, email: string): Promise<Erased> {
    return this.forget(viewer, async (tx) => personAt(tx, addressOf(email)));
  }

  private async forget(viewer: Viewer, find: (tx: Transaction) => Promise<Person>): Promise<Erased> {
    const { runIds, ...erased } = await this.database.transaction(async (tx) => {
      const person = await find(tx);
      const { ownerId, addresses, clientIds } = person;
      await settlePlanning(tx, clientIds);
      const letters = await tx.rows<{ id: number; runId: number; isUnderWay: boolean }>(
        `SELECT d.id, d.run_id, d.status = 'sending' OR EXISTS (SELECT FROM attempts a
                  WHERE a.delivery_id = d.id AND a.status = 'unknown'
                    AND a.created_at > app_now() - interval '${ANSWER_MINUTES} minutes') AS is_under_way
           FROM deliveries d WHERE d.id IN ${LETTERS} ORDER BY d.id FOR UPDATE`,
        [ownerId, addresses, clientIds],
      );
      const ids = letters.map(({ id }) => id);
      await skipForgotten(tx, ids);
      if (letters.some(({ isUnderWay }) => isUnderWay))
        throw new ConflictError(
          'LETTER_UNDER_WAY',
          'A letter to this person is under way, or its answer may still come: try again in a quarter of an hour.',
        );
      await eraseLetters(tx, ids);
      await eraseInbound(tx, ownerId, addresses, ids);
      await eraseHealth(tx, ownerId, addresses);
      await eraseSuppressed(tx, ownerId, addresses);
      await eraseNotices(tx, ownerId, addresses);
      await eraseSignups(tx, ownerId, addresses, clientIds);
      await deleteClients(tx, clientIds);
      for (const id of clientIds) await audit(tx, viewer, 'person.erase', { type: 'client', id });
      const pattern = mentions(addresses);
      await eraseFromImports(tx, ownerId, pattern);
      await eraseFromFilters(tx, ownerId, pattern);
      await eraseFromDrafts(tx, ownerId, pattern);
      await eraseMentions(tx, pattern);
      await eraseFromAccounts(tx, pattern);
      return {
        runIds: [...new Set(letters.map(({ runId }) => runId))],
        clients: clientIds.length,
        letters: ids.length,
      };
    });
    if (runIds.length > 0) await this.runs.finishIfDrained(runIds);
    return erased;
  }
}

function findClient(tx: Transaction, id: number, owner: number | null): Promise<Found | undefined> {
  return tx.first<Found>(
    'SELECT id, owner_id, email FROM clients WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR UPDATE',
    [id, owner],
  );
}

/** As addresses are compared. @throws ValidationError */
function addressOf(email: string): string {
  const parsed = parseEmailAddress(email);
  if (!parsed.ok) throw invalid('email', parsed.problem);
  return parsed.email.toLowerCase();
}
