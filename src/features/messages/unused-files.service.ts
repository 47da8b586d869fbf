import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database } from '../../database/database';
import { StoredObjects } from '../../storage/stored-objects';
import { inUse, removeIfUnused } from './media-uses';

/** So long a picture may wait for a message that shows it. */
const KEPT = `interval '30 days'`;
/** So many of each are removed in one turn. */
const LIMIT = 1_000;

/** Removes pictures that nothing shows, and the files of attachments that no message and no run has any more. */
@Injectable()
export class UnusedFiles {
  constructor(
    private readonly database: Database,
    private readonly objects: StoredObjects,
    private readonly logger: PinoLogger,
  ) {}

  async remove(): Promise<void> {
    // What can't be removed from the store now keeps its row until it can.
    if (await this.objects.trouble()) return;
    const pictures = await this.removePictures();
    const attachments = await this.removeAttachments();
    if (pictures + attachments > 0)
      this.logger.info({ event: 'media.removed', pictures, attachments }, 'Unused pictures and files were removed');
  }

  private async removePictures(): Promise<number> {
    const unused = `m.used_at < app_now() - ${KEPT} AND NOT ${inUse('m.hash')}`;
    const found = await this.database.rows<{ hash: string }>(
      `SELECT m.hash FROM media m WHERE ${unused} ORDER BY m.used_at LIMIT ${LIMIT}`,
    );
    for (const { hash } of found) {
      const key = await this.database.transaction(async (tx) => {
        await tx.rows('SELECT FROM media WHERE hash = $1 FOR UPDATE', [hash]);
        await tx.affected(`DELETE FROM pictures p USING media m WHERE p.hash = $1 AND m.hash = $1 AND ${unused}`, [
          hash,
        ]);
        return removeIfUnused(tx, hash);
      });
      if (key !== null) await this.objects.remove(key);
    }
    return found.length;
  }

  /** A day later, so that whoever has just uploaded one can add it to a message. */
  private async removeAttachments(): Promise<number> {
    const unused = `f.used_at < app_now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM message_attachments a WHERE a.hash = f.hash)
      AND NOT EXISTS (SELECT FROM run_attachments a WHERE a.hash = f.hash)`;
    const found = await this.database.rows<{ hash: string }>(
      `SELECT f.hash FROM attachment_files f WHERE ${unused} LIMIT ${LIMIT}`,
    );
    for (const { hash } of found) {
      const removed = await this.database.transaction(async (tx) => {
        await tx.rows('SELECT FROM attachment_files WHERE hash = $1 FOR UPDATE', [hash]);
        return tx.rows<{ key: string }>(
          `DELETE FROM attachment_files f WHERE f.hash = $1 AND ${unused} RETURNING f.key`,
          [hash],
        );
      });
      for (const { key } of removed) await this.objects.remove(key);
    }
    return found.length;
  }
}
