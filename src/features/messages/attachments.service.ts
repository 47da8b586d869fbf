import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import {
  attachmentName,
  attachmentProblem,
  ATTACHMENTS_BYTES,
  ATTACHMENTS_MAX,
  attachmentType,
} from '../../domain/attachment';
import { ConflictError, invalid, NotFoundError } from '../../domain/errors';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { StoredObjects } from '../../storage/stored-objects';
import { roomLeft } from './media-uses';

/** A file that a message's letters carry. */
export interface MessageAttachment {
  id: number;
  name: string;
  type: string;
  bytes: number;
  createdAt: Date;
}

const MEGABYTE = 1024 * 1024;
const LIST = `SELECT a.id, a.name, a.type, f.size AS bytes, a.created_at
  FROM message_attachments a JOIN attachment_files f USING (hash) WHERE a.message_id = $1 ORDER BY a.id`;

/** The files that letters of a message carry, from the next run on. */
@Injectable()
export class AttachmentsService {
  constructor(
    private readonly database: Database,
    private readonly objects: StoredObjects,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFoundError */
  async list(viewer: Viewer, messageId: number): Promise<MessageAttachment[]> {
    const message = await this.database.first(
      'SELECT FROM messages WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [messageId, readableOwner(viewer)],
    );
    if (!message) throw new NotFoundError('Message', messageId);
    return this.database.rows<MessageAttachment>(LIST, [messageId]);
  }

  /** Why letters of a run with attachments can't be made now; null if they can, or carry nothing. */
  async heldUp(runId: number): Promise<string | null> {
    const carried = await this.database.first('SELECT FROM run_attachments WHERE run_id = $1 LIMIT 1', [runId]);
    return carried ? this.objects.trouble() : null;
  }

  /**
   * A name that a file of the message has already gets a number.
   * @throws NotFoundError, ForbiddenError, ValidationError for `file`, ConflictError MEDIA_FULL
   */
  async add(viewer: Viewer, messageId: number, file: { name: string; bytes: Buffer }): Promise<MessageAttachment> {
    const name = attachmentName(file.name);
    const wrong = attachmentProblem(name);
    if (wrong) throw invalid('file', wrong);
    if (file.bytes.length === 0) throw invalid('file', problem('attachment_empty'));
    if (file.bytes.length > ATTACHMENTS_BYTES) throw tooLarge();
    await this.database.transaction((tx) => this.lock(tx, viewer, messageId, file.bytes.length));
    const hash = createHash('sha256').update(file.bytes).digest('hex');
    const key = `attachments/${hash}-${randomUUID()}`;
    await this.objects.put(key, file.bytes);
    let kept = false;
    try {
      const { attachment, stored } = await this.database.transaction(async (tx) => {
        const names = await this.lock(tx, viewer, messageId, file.bytes.length);
        const found = await tx.first<{ key: string }>(
          `INSERT INTO attachment_files (hash, size, key) VALUES ($1, $2, $3)
           ON CONFLICT (hash) DO UPDATE SET used_at = app_now() RETURNING key`,
          [hash, file.bytes.length, key],
        );
        const row = await tx.first<MessageAttachment>(
          `INSERT INTO message_attachments (message_id, hash, name, type) VALUES ($1, $2, $3, $4)
           RETURNING id, name, type, $5::integer AS bytes, created_at`,
          [messageId, hash, unlike(names, name), attachmentType(name), file.bytes.length],
        );
        return { attachment: row!, stored: found?.key };
      });
      kept = stored === key;
      return attachment;
    } finally {
      if (!kept) await this.objects.discard(key);
    }
  }

  /** @throws NotFoundError, ForbiddenError */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const gone = await tx.affected(
        `DELETE FROM message_attachments a USING messages m
          WHERE a.id = $1 AND m.id = a.message_id AND ($2::bigint IS NULL OR m.owner_id = $2)`,
        [id, writableOwner(viewer)],
      );
      if (gone === 0) throw await notWritable(tx, viewer, 'Attachment', id);
    });
  }

  /** @returns the names that are there. @throws also if there is no room for so many bytes more */
  private async lock(tx: Transaction, viewer: Viewer, messageId: number, bytes: number): Promise<Set<string>> {
    const message = await tx.first<{ ownerId: number }>(
      'SELECT owner_id FROM messages WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR NO KEY UPDATE',
      [messageId, writableOwner(viewer)],
    );
    if (!message) throw await notWritable(tx, viewer, 'Message', messageId);
    const present = await tx.rows<MessageAttachment>(LIST, [messageId]);
    if (bytes > 0) {
      if (present.reduce((sum, attachment) => sum + attachment.bytes, bytes) > ATTACHMENTS_BYTES) throw tooLarge();
      if (present.length >= ATTACHMENTS_MAX) throw invalid('file', problem('too_many_files', { max: ATTACHMENTS_MAX }));
      const max = this.config.mediaPerUserMb;
      if ((await roomLeft(tx, message.ownerId, max * MEGABYTE)) < bytes)
        throw new ConflictError('MEDIA_FULL', `Your pictures and attachments may have ${max} MB together.`);
    }
    return new Set(present.map(({ name }) => name));
  }
}

/** A copy of a message carries what it carries. The caller may read the one and has just made the other. */
export const copyAttachments = (tx: Transaction, from: number, to: number) =>
  tx.affected(
    `INSERT INTO message_attachments (message_id, hash, name, type)
     SELECT $2, hash, name, type FROM message_attachments WHERE message_id = $1 ORDER BY id`,
    [from, to],
  );

const tooLarge = () => invalid('file', problem('attachments_too_large', { max: ATTACHMENTS_BYTES }));

/** `plan.pdf`, `plan (2).pdf` … */
function unlike(names: ReadonlySet<string>, name: string): string {
  const [, stem = '', ending = ''] = /^(.+?)(\.[^.]+)?$/su.exec(name) ?? [];
  for (let n = 2, tried = name; ; tried = `${stem} (${n++})${ending}`) if (!names.has(tried)) return tried;
}
