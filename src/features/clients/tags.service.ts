import { Injectable } from '@nestjs/common';
import { Database, type Transaction, violates } from '../../database/database';
import { listPage } from '../../database/list';
import { notWritable } from '../../database/owned';
import { anywhere, searched } from '../../database/search';
import { ConflictError, invalid, NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { OWNED_TAGS_MAX, tagProblem } from '../../domain/tag-names';
import { audit } from '../audit/audit';
import { Tag } from './tag.entity';
import { namedUses, Uses } from './uses';

export interface TagInput {
  name: string;
  public?: boolean | null;
}

/** The labels on somebody's clients. How many clients have one is kept by the database. */
@Injectable()
export class TagsService {
  constructor(
    private readonly database: Database,
    private readonly uses: Uses,
  ) {}

  /** By name. */
  list(viewer: Viewer, query: PageRequest & { search?: string; ownerId?: number }): Promise<Page<Tag>> {
    return listPage<Tag>(
      this.database,
      {
        select: 't.*',
        from: 'tags t',
        where: `($1::bigint IS NULL OR t.owner_id = $1) AND ($2::bigint IS NULL OR t.owner_id = $2)
                 AND ($3::text IS NULL OR ${searched('t.name')} LIKE ${searched('$3')})`,
        params: [readableOwner(viewer), query.ownerId ?? null, anywhere(query.search)],
        key: [
          { expression: searched('t.name'), type: 'text' },
          { expression: 't.id', type: 'bigint' },
        ],
        descending: false,
      },
      query,
    );
  }

  /** All tags of an owner whose clients the viewer may read, by name: at most OWNED_TAGS_MAX. */
  of(viewer: Viewer, ownerId: number): Promise<Tag[]> {
    return this.database.rows<Tag>(
      `SELECT * FROM tags WHERE owner_id = $1 AND ($2::bigint IS NULL OR owner_id = $2)
        ORDER BY ${searched('name')}, id LIMIT ${OWNED_TAGS_MAX}`,
      [ownerId, readableOwner(viewer)],
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<Tag> {
    const tag = await this.database.first<Tag>(
      'SELECT * FROM tags WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [id, readableOwner(viewer)],
    );
    if (!tag) throw new NotFoundError('Tag', id);
    return tag;
  }

  /** @throws ConflictError TAG_EXISTS if there is a tag with this name, in whatever case; TAGS_FULL */
  async create(viewer: Viewer, input: TagInput): Promise<Tag> {
    const name = checkedName(input.name);
    return this.takenAware(name, () =>
      this.database.transaction(async (tx) => {
        const tags = tx.manager.getRepository(Tag);
        if ((await tags.countBy({ ownerId: viewer.userId })) >= OWNED_TAGS_MAX)
          throw new ConflictError(
            'TAGS_FULL',
            `You have ${OWNED_TAGS_MAX} tags already, which is the most there may be.`,
          );
        return tags.save(tags.create({ ownerId: viewer.userId, name, public: input.public ?? false }));
      }),
    );
  }

  /** @throws NotFoundError, ForbiddenError, ConflictError TAG_EXISTS */
  async update(viewer: Viewer, id: number, change: Partial<TagInput>): Promise<Tag> {
    const name = change.name === undefined ? undefined : checkedName(change.name);
    return this.takenAware(name ?? '', () =>
      this.database.transaction(async (tx) => {
        const tag = await this.lock(tx, viewer, id);
        const tags = tx.manager.getRepository(Tag);
        const changed = {
          ...(name !== undefined && { name }),
          ...(typeof change.public === 'boolean' && { public: change.public }),
        };
        if (Object.keys(changed).length > 0) await tags.update({ id }, changed);
        return { ...tag, ...changed };
      }),
    );
  }

  /** Takes it from all clients. @throws ConflictError TAG_IN_USE with what uses it */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const tag = await this.lock(tx, viewer, id);
      await this.refuseIfUsed(tx, tag);
      await tx.manager.getRepository(Tag).delete({ id });
      await audit(tx, viewer, 'tag.delete', { type: 'tag', id }, { name: tag.name });
    });
  }

  /**
   * Gives the clients of a tag another one instead, and deletes it. One transaction, so that nobody is seen with
   * neither: for a million clients it takes some seconds, in which nobody else can give or take these two tags.
   * @returns the other tag
   */
  async merge(viewer: Viewer, id: number, into: number): Promise<Tag> {
    return this.database.transaction(async (tx) => {
      // In the order of ids, as all do who lock several.
      const locked = await tx.rows<Tag>(
        `SELECT * FROM tags WHERE id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR owner_id = $2)
          ORDER BY id FOR UPDATE`,
        [[id, into], writableOwner(viewer)],
      );
      const from = locked.find((tag) => tag.id === id);
      if (!from) throw await notWritable(tx, viewer, 'Tag', id);
      if (!locked.some((tag) => tag.id === into && into !== id && tag.ownerId === from.ownerId))
        throw invalid('into', problem('no_such_tag', { id: into }));
      await this.refuseIfUsed(tx, from);
      await tx.affected(
        `INSERT INTO client_tags (tag_id, client_id)
         SELECT $2, client_id FROM client_tags WHERE tag_id = $1 ORDER BY client_id ON CONFLICT DO NOTHING`,
        [id, into],
      );
      const tags = tx.manager.getRepository(Tag);
      await tags.delete({ id });
      await audit(tx, viewer, 'tag.merge', { type: 'tag', id: into }, { name: from.name });
      return tags.findOneByOrFail({ id: into });
    });
  }

  /** For this transaction alone. */
  private async lock(tx: Transaction, viewer: Viewer, id: number): Promise<Tag> {
    const tag = await tx.first<Tag>(
      'SELECT * FROM tags WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR UPDATE',
      [id, writableOwner(viewer)],
    );
    if (!tag) throw await notWritable(tx, viewer, 'Tag', id);
    return tag;
  }

  private async refuseIfUsed(tx: Transaction, { id, ownerId, name }: Tag): Promise<void> {
    const uses = await this.uses.of(tx, ownerId, { tag: { id, name } });
    if (uses.length > 0)
      throw new ConflictError('TAG_IN_USE', `The tag "${name}" is used by ${namedUses(uses)}.`, { uses });
  }

  private async takenAware<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!violates(error, 'tags_owner_id_name_key')) throw error;
      throw new ConflictError('TAG_EXISTS', `There is a tag called "${name}" already.`);
    }
  }
}

function checkedName(given: string): string {
  const name = given.trim();
  const wrong = tagProblem(name);
  if (wrong) throw invalid('name', wrong);
  return name;
}
