import type { Transaction } from '../../database/database';
import type { BulkAction } from '../../domain/bulk';
import { suppressClients } from '../consent/suppressions';
import { deleteClients } from './delete-clients';

/** A page of an owner's clients, in id order, and the tags that the action is about. */
export interface BulkPage {
  ownerId: number;
  clientIds: number[];
  tagIds: number[];
}

type Act = (tx: Transaction, page: BulkPage) => Promise<unknown>;

/** What each action does to a page of clients. Harmless to repeat. */
export const BULK_ACTIONS: Record<BulkAction, Act> = {
  tag: (tx, { clientIds, tagIds }) =>
    tx.affected(
      `INSERT INTO client_tags (tag_id, client_id)
       SELECT t, c FROM unnest($1::bigint[]) t, unnest($2::bigint[]) c
        WHERE EXISTS (SELECT FROM tags WHERE id = t) ORDER BY t, c ON CONFLICT DO NOTHING`,
      [tagIds, clientIds],
    ),
  untag: (tx, { clientIds, tagIds }) =>
    tx.affected('DELETE FROM client_tags WHERE tag_id = ANY($1::bigint[]) AND client_id = ANY($2::bigint[])', [
      tagIds,
      clientIds,
    ]),
  delete: (tx, { clientIds }) => deleteClients(tx, clientIds),
  suppress: (tx, { ownerId, clientIds }) => suppressClients(tx, ownerId, clientIds),
};
