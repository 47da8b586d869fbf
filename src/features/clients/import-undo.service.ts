import { Injectable } from '@nestjs/common';
import { failpoint } from '../../config/failpoint';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { ConflictError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { neverSent, settlePlanning } from '../ledger/moves';
import { deleteClients, lockClients } from './delete-clients';
import type { Import } from './import.entity';

const BATCH = 2_000;

/**
 * Takes an import back: deletes the clients that it added and that nobody else has anything to do with. Those stay to
 * whom something was sent since, who were changed since, whom another import brought, too (it took `import_id` away), who
 * have a tag that this import does not give, who are chosen for a mailing, or who signed up themselves. Known clients
 * stay as the import left them, and so do the exclusions that its file brought: who once said no is not asked again
 * because of a mistake of ours.
 *
 * It is done in batches, each in a transaction that also stores how far it came; whatever process died, another one goes
 * on from there.
 */
@Injectable()
export class ImportUndo {
  constructor(private readonly database: Database) {}

  /**
   * Notes that the import is to be undone.
   * @throws ConflictError IMPORT_NOT_UNDOABLE if it is not done, or added nobody; harmless to repeat
   */
  async begin(viewer: Viewer, importId: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const own = await tx.first<Import>(
        'SELECT * FROM imports WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR NO KEY UPDATE',
        [importId, writableOwner(viewer)],
      );
      if (!own) throw await notWritable(tx, viewer, 'Import', importId);
      if (own.undoAt) return;
      if (own.status !== 'done' || own.dryRun || own.firstClientId === null)
        throw new ConflictError('IMPORT_NOT_UNDOABLE', `There is nothing of import ${importId} that could be undone.`);
      await tx.affected('UPDATE imports SET undo_at = app_now(), undo_after = first_client_id - 1 WHERE id = $1', [
        importId,
      ]);
      await audit(tx, viewer, 'clients.import_undo', { type: 'import', id: importId });
    });
  }

  /** Imports whose undoing is not through. */
  async pending(): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      'SELECT id FROM imports WHERE undo_at IS NOT NULL AND undone_at IS NULL ORDER BY id',
    );
    return rows.map(({ id }) => id);
  }

  /** Goes on for about `maxMs`. @returns whether nothing is left to do */
  async resume(importId: number, maxMs: number): Promise<boolean> {
    const until = performance.now() + maxMs;
    while (await this.database.transaction((tx) => this.batch(tx, importId)))
      if (performance.now() > until) return false;
    return true;
  }

  /** @returns whether there may be more */
  private async batch(tx: Transaction, importId: number): Promise<boolean> {
    const own = await tx.first<Import>(
      'SELECT * FROM imports WHERE id = $1 AND undo_at IS NOT NULL AND undone_at IS NULL FOR NO KEY UPDATE',
      [importId],
    );
    if (!own) return false;
    await lockClients(tx);
    const clients = await tx.rows<{ id: number; untouched: boolean }>(
      `SELECT id, updated_at = created_at AS untouched FROM clients
        WHERE owner_id = $2 AND id > $3 AND id <= $4 AND import_id = $1 ORDER BY id LIMIT ${BATCH} FOR UPDATE`,
      [importId, own.ownerId, own.undoAfter, own.lastClientId],
    );
    const last = clients.at(-1);
    if (!last) {
      await tx.affected('UPDATE imports SET undone_at = app_now() WHERE id = $1', [importId]);
      return false;
    }
    const untouched = clients.filter((client) => client.untouched).map(({ id }) => id);
    // Letters that are just being planned count, too.
    await settlePlanning(tx, untouched);
    const ids = await deleteClients(tx, await neverSent(tx, await onlyImported(tx, own, untouched)));
    await tx.affected(
      'UPDATE imports SET undo_after = $2, undone = undone + $3, undo_kept = undo_kept + $4 WHERE id = $1',
      [importId, last.id, ids.length, clients.length - ids.length],
    );
    failpoint('undo-batch');
    return true;
  }
}

/**
 * Those of these clients, which are locked, whom nothing but the import made known. A statement of its own, so that it
 * sees what was committed before they were locked.
 */
async function onlyImported(tx: Transaction, { ownerId, allTags, rowTags }: Import, ids: number[]): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(
    `SELECT c.id FROM clients c WHERE c.id = ANY($1::bigint[])
        AND NOT EXISTS (SELECT FROM mailing_clients mc WHERE mc.client_id = c.id)
        AND NOT EXISTS (SELECT FROM client_tags ct WHERE ct.client_id = c.id AND ct.tag_id <> ALL($3::bigint[]))
        AND NOT EXISTS (SELECT FROM signups s WHERE s.client_id = c.id)
        AND NOT EXISTS (SELECT FROM signups s WHERE s.owner_id = $2 AND lower(s.email) = lower(c.email))
      ORDER BY c.id`,
    [ids, ownerId, [...allTags, ...rowTags]],
  );
  return rows.map(({ id }) => id);
}
