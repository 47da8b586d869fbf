import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from '../database/database';
import { S3Bucket } from './s3-bucket';

/**
 * The bytes of pictures and attachments, by key: in Postgres, or in the bucket that STORAGE_URL names. What was stored
 * before that was set stays where it is, and is found there. A key is used once: put it, then store it in a row that is
 * committed; remove it after the row is gone.
 */
@Injectable()
export class StoredObjects {
  private readonly bucket: S3Bucket | null;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) { storageUrl }: Pick<Config, 'storageUrl'>,
  ) {
    this.bucket = storageUrl === '' ? null : new S3Bucket(storageUrl);
  }

  async put(key: string, content: Buffer): Promise<void> {
    if (this.bucket) return this.bucket.put(key, content);
    await this.database.affected('INSERT INTO stored_objects (key, content) VALUES ($1, $2)', [key, content]);
  }

  /** Null if there is none. */
  async get(key: string): Promise<Buffer | null> {
    const row = await this.database.first<{ content: Buffer }>('SELECT content FROM stored_objects WHERE key = $1', [
      key,
    ]);
    return row?.content ?? (await this.bucket?.get(key)) ?? null;
  }

  async remove(key: string): Promise<void> {
    const removed = await this.database.affected('DELETE FROM stored_objects WHERE key = $1', [key]);
    if (removed === 0) await this.bucket?.remove(key);
  }
}
