import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.module';
import { Database } from '../database/database';
import { DomainError } from '../domain/errors';
import { S3Bucket } from './s3-bucket';

/** How long the store has to say how it is, how long that counts, and how long whoever asks waits for it. */
const PROBE_MS = 3_000;
const KNOWN_MS = 5_000;
const WAIT_MS = 500;

/**
 * The bytes of pictures and attachments, by key: in Postgres, or in the bucket that STORAGE_URL names. What was stored
 * before that was set stays where it is, and is found there. A key is used once: put it, then store it in a row that is
 * committed; remove it after the row is gone.
 */
@Injectable()
export class StoredObjects {
  private readonly bucket: S3Bucket | null;
  private readonly probe: S3Bucket | null;
  private probedMs = -Infinity;
  private probing = Promise.resolve();
  private known: string | null = null;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) { storageUrl }: Pick<Config, 'storageUrl'>,
  ) {
    this.bucket = storageUrl === '' ? null : new S3Bucket(storageUrl);
    this.probe = storageUrl === '' ? null : new S3Bucket(storageUrl, PROBE_MS);
  }

  /**
   * What is wrong with the bucket, in a sentence without secrets; null if nothing is, or there is none. It keeps nobody
   * waiting: before the store answers, it is what was known before.
   */
  async trouble(): Promise<string | null> {
    const { probe } = this;
    const nowMs = performance.now();
    if (probe && nowMs > this.probedMs + KNOWN_MS) {
      this.probedMs = nowMs;
      this.probing = probe.trouble().then((error) => void (this.known = error?.message ?? null));
    }
    await Promise.race([this.probing, sleep(WAIT_MS, undefined, { ref: false })]);
    return this.known;
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

  /** Removes what no row names. While the store does not work it stays there, as after a kill: it does no harm. */
  async discard(key: string): Promise<void> {
    await this.remove(key).catch((error: unknown) => {
      if (!(error instanceof DomainError)) throw error;
    });
  }
}
