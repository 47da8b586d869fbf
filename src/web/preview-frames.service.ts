import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Viewer } from '../domain/permissions';
import { RedisConnection } from '../queue/redis.module';

const KEPT_SECONDS = 900;

/**
 * Keeps rendered previews for a quarter of an hour, from the editor's request until the frame shows them, for their
 * author only. They are in Redis, because another process may serve the frame; without Redis there is no preview.
 */
@Injectable()
export class PreviewFrames {
  constructor(private readonly redis: RedisConnection) {}

  newId(): string {
    return randomUUID();
  }

  async keep(viewer: Viewer, id: string, html: string): Promise<void> {
    await this.redis.client.set(this.key(viewer, id), html, 'EX', KEPT_SECONDS).catch(() => null);
  }

  async read(viewer: Viewer, id: string): Promise<string | null> {
    return this.redis.client.get(this.key(viewer, id)).catch(() => null);
  }

  private key(viewer: Viewer, id: string): string {
    return this.redis.key(`preview:${viewer.userId}:${id}`);
  }
}
