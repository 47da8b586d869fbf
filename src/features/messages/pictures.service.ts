import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst, viewWhere } from '../../database/list';
import { notWritable } from '../../database/owned';
import { anywhere, searched } from '../../database/search';
import { attachmentName } from '../../domain/attachment';
import { singleLineProblem } from '../../domain/email-address';
import { ConflictError, invalid, NotFoundError, type Use } from '../../domain/errors';
import { mediaUrl, PICTURE_BYTES, type PictureType } from '../../domain/media';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { type MadePicture, PictureMaker } from '../../images/picture-maker';
import { StoredObjects } from '../../storage/stored-objects';
import { audit } from '../audit/audit';
import { removeIfUnused, roomLeft } from './media-uses';

/** A picture of somebody. */
export interface Picture {
  id: number;
  ownerId: number;
  hash: string;
  /** Where letters find it. */
  url: string;
  type: PictureType;
  width: number;
  height: number;
  bytes: number;
  alt: string;
  name: string;
  createdAt: Date;
  /** Its owner's messages that show it: the first few. */
  uses: Use[];
  /** Whether it is its owner's logo. */
  isLogo: boolean;
}

const ALT_MAX = 300;
const NAMED = 5;
const MEGABYTE = 1024 * 1024;
const VIEW = {
  select: `p.id, p.owner_id, p.hash, p.name, p.alt, p.created_at, m.type, m.width, m.height, m.size AS bytes,
    ARRAY(SELECT json_build_object('kind', 'message', 'id', s.id, 'name', s.subject)
       FROM message_media u JOIN messages s ON s.id = u.message_id
      WHERE u.hash = p.hash AND s.owner_id = p.owner_id ORDER BY s.id LIMIT ${NAMED}) AS uses,
    EXISTS (SELECT FROM senders n WHERE n.owner_id = p.owner_id AND strpos(n.logo, p.hash) > 0) AS is_logo`,
  from: 'pictures p JOIN media m USING (hash)',
};

/**
 * The pictures of users, for their letters. Two who upload the same picture share its bytes; each sees and deletes only
 * their own.
 */
@Injectable()
export class PicturesService {
  constructor(
    private readonly database: Database,
    private readonly maker: PictureMaker,
    private readonly objects: StoredObjects,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(viewer: Viewer, query: PageRequest & { search?: string; ownerId?: number }): Promise<Page<Picture>> {
    const page = await listPage<Picture>(
      this.database,
      {
        ...VIEW,
        where: `($1::bigint IS NULL OR p.owner_id = $1) AND ($2::bigint IS NULL OR p.owner_id = $2)
                 AND ($3::text IS NULL OR ${searched(`p.name || ' ' || p.alt`)} LIKE ${searched('$3')})`,
        params: [readableOwner(viewer), query.ownerId ?? null, anywhere(query.search)],
        ...newestFirst('p.id'),
      },
      query,
    );
    return { ...page, items: page.items.map((picture) => this.withUrl(picture)) };
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<Picture> {
    const picture = await this.database.first<Picture>(
      viewWhere(VIEW, 'p.id = $1 AND ($2::bigint IS NULL OR p.owner_id = $2)'),
      [id, readableOwner(viewer)],
    );
    if (!picture) throw new NotFoundError('Picture', id);
    return this.withUrl(picture);
  }

  /**
   * Makes a file into a picture for letters. The same one again is the one that is there.
   * @throws ValidationError if it is no picture that letters can show, ConflictError MEDIA_FULL
   */
  async add(viewer: Viewer, file: { name: string; alt?: string; bytes: Buffer }): Promise<Picture> {
    const alt = checkedAlt(file.alt ?? '');
    if (file.bytes.length > PICTURE_BYTES) throw invalid('file', problem('picture_too_large', { max: PICTURE_BYTES }));
    const made = await this.maker.make(file.bytes);
    const hash = createHash('sha256').update(made.bytes).digest('hex');
    const key = `media/${hash}-${randomUUID()}`;
    await this.objects.put(key, made.bytes);
    let kept = false;
    try {
      const stored = await this.database.transaction((tx) =>
        this.store(tx, viewer.userId, { hash, key, made, alt, name: attachmentName(file.name) }),
      );
      kept = stored.key === key;
      return await this.get(viewer, stored.id);
    } finally {
      if (!kept) await this.objects.discard(key);
    }
  }

  /** @throws NotFoundError, ForbiddenError */
  async change(viewer: Viewer, id: number, { alt }: { alt?: string | undefined }): Promise<Picture> {
    const text = alt === undefined ? null : checkedAlt(alt);
    await this.database.transaction(async (tx) => {
      const changed = await tx.affected(
        `UPDATE pictures SET alt = coalesce($3, alt) WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)`,
        [id, writableOwner(viewer), text],
      );
      if (changed === 0) throw await notWritable(tx, viewer, 'Picture', id);
    });
    return this.get(viewer, id);
  }

  /**
   * Letters that were sent go on showing it.
   * @throws ConflictError MEDIA_IN_USE with its owner's messages that show it, or none if it is their logo
   */
  async delete(viewer: Viewer, id: number): Promise<void> {
    const key = await this.database.transaction(async (tx) => {
      const picture = await tx.first<Pick<Picture, 'hash' | 'name' | 'uses' | 'isLogo'>>(
        `${viewWhere(VIEW, 'p.id = $1 AND ($2::bigint IS NULL OR p.owner_id = $2)')} FOR UPDATE OF p`,
        [id, writableOwner(viewer)],
      );
      if (!picture) throw await notWritable(tx, viewer, 'Picture', id);
      const { uses } = picture;
      if (uses.length > 0) {
        const names = uses.map((use) => `"${use.name}"`).join(', ');
        throw new ConflictError('MEDIA_IN_USE', `Messages show this picture: ${names}.`, { uses });
      }
      if (picture.isLogo) throw new ConflictError('MEDIA_IN_USE', 'This picture is the logo of letters.', { uses });
      await tx.affected('DELETE FROM pictures WHERE id = $1', [id]);
      await audit(tx, viewer, 'picture.delete', { type: 'picture', id }, { name: picture.name });
      return removeIfUnused(tx, picture.hash);
    });
    if (key !== null) await this.objects.discard(key);
  }

  private async store(tx: Transaction, ownerId: number, picture: NewPicture): Promise<{ id: number; key: string }> {
    const { hash, key, made, alt, name } = picture;
    const own = await tx.first('SELECT FROM pictures WHERE owner_id = $1 AND hash = $2', [ownerId, hash]);
    const max = this.config.mediaPerUserMb;
    if (!own && (await roomLeft(tx, ownerId, max * MEGABYTE)) < made.bytes.length)
      throw new ConflictError('MEDIA_FULL', `Your pictures and attachments may have ${max} MB together.`);
    const media = await tx.first<{ key: string }>(
      `INSERT INTO media (hash, type, width, height, size, key) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (hash) DO UPDATE SET used_at = app_now() RETURNING key`,
      [hash, made.type, made.width, made.height, made.bytes.length, key],
    );
    const row = await tx.first<{ id: number }>(
      `INSERT INTO pictures (owner_id, hash, name, alt) VALUES ($1, $2, $3, $4)
       ON CONFLICT (owner_id, hash) DO UPDATE SET alt = coalesce(nullif(excluded.alt, ''), pictures.alt) RETURNING id`,
      [ownerId, hash, name, alt],
    );
    return { id: row?.id ?? 0, key: media?.key ?? '' };
  }

  private withUrl(picture: Picture): Picture {
    return { ...picture, url: mediaUrl(this.config.publicUrl, picture.hash) };
  }
}

interface NewPicture {
  hash: string;
  key: string;
  made: MadePicture;
  alt: string;
  name: string;
}

function checkedAlt(given: string): string {
  const alt = given.trim();
  const wrong = singleLineProblem(alt, ALT_MAX);
  if (wrong) throw invalid('alt', wrong);
  return alt;
}
