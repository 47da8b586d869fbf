import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import type { PictureType } from '../../domain/media';
import { Semaphore } from '../../domain/semaphore';
import { StoredObjects } from '../../storage/stored-objects';

export interface PublicPicture {
  type: PictureType;
  bytes: Buffer;
}

/** What is kept at hand: the pictures of a mailing that is being read. */
const KEPT_BYTES = 64 * 1024 * 1024;
const AT_ONCE = 4;

/**
 * Pictures for those who read letters. Whoever knows the address may see it: letters carry no sign-in. Readers of one
 * mailing share its bytes in memory, and few are fetched at once, so that many readers cost little.
 */
@Injectable()
export class PublicPictures {
  private readonly kept = new Map<string, PublicPicture>();
  private readonly coming = new Map<string, Promise<PublicPicture | null>>();
  private readonly places = new Semaphore(AT_ONCE);
  private bytes = 0;

  constructor(
    private readonly database: Database,
    private readonly objects: StoredObjects,
  ) {}

  /** Null if there is none; one that was removed may be shown by this process for a while. */
  async get(hash: string): Promise<PublicPicture | null> {
    const known = this.kept.get(hash);
    if (known) {
      this.kept.delete(hash);
      this.kept.set(hash, known);
      return known;
    }
    let coming = this.coming.get(hash);
    if (!coming) {
      coming = this.places.run(() => this.fetch(hash)).finally(() => this.coming.delete(hash));
      this.coming.set(hash, coming);
    }
    return coming;
  }

  private async fetch(hash: string): Promise<PublicPicture | null> {
    const media = await this.database.first<{ type: PictureType; key: string }>(
      'SELECT type, key FROM media WHERE hash = $1',
      [hash],
    );
    const bytes = media && (await this.objects.get(media.key));
    if (!media || !bytes) return null;
    const picture = { type: media.type, bytes };
    this.keep(hash, picture);
    return picture;
  }

  private keep(hash: string, picture: PublicPicture): void {
    this.kept.set(hash, picture);
    this.bytes += picture.bytes.length;
    for (const [oldest, { bytes }] of this.kept) {
      if (this.bytes <= KEPT_BYTES) break;
      this.kept.delete(oldest);
      this.bytes -= bytes.length;
    }
  }
}
