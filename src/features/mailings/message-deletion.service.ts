import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { notWritable } from '../../database/owned';
import { ConflictError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { deleteMessage } from '../messages/messages.service';

/** Deletes messages that no mailing needs any more. */
@Injectable()
export class MessageDeletion {
  constructor(private readonly database: Database) {}

  /**
   * A message that only deleted mailings use is hidden, and its row is kept for them; their runs have its content.
   * @throws ConflictError MESSAGE_IN_USE
   */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const found = await tx.first<{ name: string; subject: string }>(
        'SELECT name, subject FROM messages WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR UPDATE',
        [id, writableOwner(viewer)],
      );
      if (!found) throw await notWritable(tx, viewer, 'Message', id);
      const used = await tx.first<{ n: number }>(
        'SELECT count(*) AS n FROM mailings WHERE message_id = $1 AND deleted_at IS NULL',
        [id],
      );
      if (used && used.n > 0) {
        throw new ConflictError(
          'MESSAGE_IN_USE',
          `${used.n} mailing(s) use this message. Delete them or give them another one first.`,
        );
      }
      await tx.affected('UPDATE mailings SET message_id = NULL WHERE message_id = $1', [id]);
      await deleteMessage(tx, id);
      await audit(tx, viewer, 'message.delete', { type: 'message', id }, { name: found.name || found.subject });
    });
  }
}
