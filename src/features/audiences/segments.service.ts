import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Transaction, violates } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { notWritable } from '../../database/owned';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { anywhere, searched } from '../../database/search';
import { singleLineProblem } from '../../domain/email-address';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { at, problem } from '../../domain/problems';
import { type SegmentFilter, withTagNames } from '../../domain/segment-filter';
import { checkFilter } from '../../domain/segment-filter-check';
import { holdFields } from '../clients/field-definitions';
import { type FilterNames, readContext, readNames } from '../clients/segment-context';
import { Segment } from './segment.entity';

export interface SegmentInput {
  name: string;
  /** As callers write it: with the names of tags. */
  filter: unknown;
}

/** With the mailings that go to it or leave it out. */
export type SegmentView = Segment & { mailingCount: number };

export interface SegmentQuery extends PageRequest {
  search?: string;
  ownerId?: number;
}

export interface Vocabulary {
  tags: string[];
  mailings: { id: number; name: string }[];
}

/** How many names of each kind pages offer. */
const OFFERED = 200;

/** What a run keeps of its mailing's segments. */
export interface RunSegments {
  ownerId: number;
  segmentName: string | null;
  segmentFilter: SegmentFilter | null;
  excludeName: string | null;
  excludeFilter: SegmentFilter | null;
}

export interface NamedFilter {
  name: string;
  filter: SegmentFilter;
}

/** How many segments one owner may have. */
export const SEGMENTS_MAX = 500;
const NAME_MAX = 100;

const VIEW = {
  select: `s.*, (SELECT count(*) FROM mailings m
    WHERE (m.segment_id = s.id OR m.exclude_segment_id = s.id) AND m.deleted_at IS NULL) AS mailing_count`,
  from: 'segments s',
};

/** Saved filters over clients. Runs keep the filter that they began with. */
@Injectable()
export class SegmentsService {
  constructor(private readonly database: Database) {}

  list(viewer: Viewer, query: SegmentQuery): Promise<Page<SegmentView>> {
    return listPage<SegmentView>(
      this.database,
      {
        ...VIEW,
        where: `($1::bigint IS NULL OR s.owner_id = $1) AND ($2::bigint IS NULL OR s.owner_id = $2)
                AND ($3::text IS NULL OR ${searched('s.name')} LIKE ${searched('$3')})`,
        params: [readableOwner(viewer), query.ownerId ?? null, anywhere(query.search)],
        ...newestFirst('s.id'),
      },
      query,
    );
  }

  /** The names to choose from, in alphabetical order. */
  choices(ownerId: number): Promise<{ id: number; name: string }[]> {
    return this.database.rows(
      `SELECT id, name FROM segments WHERE owner_id = $1 ORDER BY ${searched('name')}, id LIMIT ${SEGMENTS_MAX}`,
      [ownerId],
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<SegmentView> {
    const segment = await this.database.first<SegmentView>(
      `SELECT ${VIEW.select} FROM ${VIEW.from} WHERE s.id = $1 AND ($2::bigint IS NULL OR s.owner_id = $2)`,
      [id, readableOwner(viewer)],
    );
    if (!segment) throw new NotFoundError('Segment', id);
    return segment;
  }

  /**
   * @throws ValidationError
   * @throws ConflictError SEGMENT_NAME_TAKEN, TOO_MANY_SEGMENTS
   */
  async create(viewer: Viewer, input: SegmentInput): Promise<SegmentView> {
    const ownerId = viewer.userId;
    const made = await this.database.transaction(async (tx) => {
      await holdNames(tx, ownerId);
      const checked = await this.checked(tx, ownerId, input);
      const there = await tx.first<{ n: number }>('SELECT count(*) AS n FROM segments WHERE owner_id = $1', [ownerId]);
      if ((there?.n ?? 0) >= SEGMENTS_MAX)
        throw new ConflictError('TOO_MANY_SEGMENTS', `There are ${SEGMENTS_MAX} segments already. Delete one first.`);
      return nameAware(checked.name, () => segmentsIn(tx).save(segmentsIn(tx).create({ ownerId, ...checked })));
    });
    return this.get(viewer, made.id);
  }

  /** Takes effect from the next run. @throws as `create`; ConflictError CHANGED_MEANWHILE */
  async update(viewer: Viewer, id: number, change: Partial<SegmentInput> & { version?: number }): Promise<SegmentView> {
    await this.database.transaction(async (tx) => {
      const owner = writableOwner(viewer);
      const segments = segmentsIn(tx);
      const where = { id, ...(owner !== null && { ownerId: owner }) };
      const current = await segments.findOne({ where, lock: { mode: 'for_no_key_update' } });
      if (!current) throw await notWritable(tx, viewer, 'Segment', id);
      const { name = current.name, filter } = change;
      if (filter !== undefined) await holdNames(tx, current.ownerId);
      const checked =
        filter === undefined
          ? { name: nameOf(name), filter: current.filter }
          : await this.checked(tx, current.ownerId, { name, filter });
      const { name: isName, filter: isFilter } = current;
      await requireVersion(tx, current, change.version, () => sameContent(checked, { name: isName, filter: isFilter }));
      await actAs(tx, viewer);
      await nameAware(checked.name, () =>
        segments.update({ id, ownerId: current.ownerId }, { ...checked, updatedAt: () => 'app_now()' }),
      );
    });
    return this.get(viewer, id);
  }

  /** A filter from a caller in the form in which it is stored. @throws ValidationError */
  async check(ownerId: number, given: unknown, sql: Sql = this.database): Promise<SegmentFilter> {
    const checked = checkFilter(given, await readContext(sql, ownerId, given));
    if (!checked.ok) throw new ValidationError(checked.errors);
    return checked.filter;
  }

  /** What these filters of one owner name. */
  names(ownerId: number, filters: readonly SegmentFilter[]): Promise<FilterNames> {
    return readNames(this.database, ownerId, filters);
  }

  /** What a form offers: tags, and the latest mailings beside these. */
  async vocabulary(ownerId: number, mailingIds: readonly number[]): Promise<Vocabulary> {
    const tags = await this.database.rows<{ name: string }>(
      `SELECT name FROM tags WHERE owner_id = $1 ORDER BY ${searched('name')} LIMIT ${OFFERED}`,
      [ownerId],
    );
    const mailings = await this.database.rows<{ id: number; name: string }>(
      `SELECT m.id, coalesce(nullif(m.name, ''), s.subject, '') AS name
         FROM mailings m LEFT JOIN messages s ON s.id = m.message_id
        WHERE m.owner_id = $1 AND (m.id = ANY($2::bigint[]) OR m.id IN (
          SELECT id FROM mailings WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT ${OFFERED}))
        ORDER BY m.id DESC`,
      [ownerId, mailingIds],
    );
    return { tags: tags.map(({ name }) => name), mailings };
  }

  /** The mailings that go to a segment or leave it out. */
  mailingsOf(id: number): Promise<{ id: number; name: string }[]> {
    return this.database.rows(
      `SELECT m.id, coalesce(nullif(m.name, ''), s.subject, '') AS name
         FROM mailings m LEFT JOIN messages s ON s.id = m.message_id
        WHERE (m.segment_id = $1 OR m.exclude_segment_id = $1) AND m.deleted_at IS NULL
        ORDER BY m.id DESC LIMIT ${OFFERED}`,
      [id],
    );
  }

  /** A stored filter as callers read and write it. */
  async named(ownerId: number, filter: SegmentFilter, sql: Sql = this.database): Promise<SegmentFilter> {
    return withTagNames(filter, (await readNames(sql, ownerId, [filter])).tags);
  }

  /** Segments with their filters as callers read and write them. */
  async namedAll<S extends Segment>(segments: readonly S[]): Promise<S[]> {
    const tags = new Map<number, string>();
    for (const ownerId of new Set(segments.map((segment) => segment.ownerId))) {
      const filters = segments.filter((segment) => segment.ownerId === ownerId).map(({ filter }) => filter);
      for (const [id, name] of (await this.names(ownerId, filters)).tags) tags.set(id, name);
    }
    return segments.map((segment) => ({ ...segment, filter: withTagNames(segment.filter, tags) }));
  }

  /** The segments of a run as they were when it began, as callers read them. */
  async ofRun(run: RunSegments): Promise<{ segment: NamedFilter | null; excludeSegment: NamedFilter | null }> {
    const { segmentFilter, excludeFilter } = run;
    const filters = [segmentFilter, excludeFilter].filter((filter) => filter !== null);
    const tags = filters.length === 0 ? new Map<number, string>() : (await this.names(run.ownerId, filters)).tags;
    const of = (name: string | null, filter: SegmentFilter | null) =>
      filter && { name: name ?? '', filter: withTagNames(filter, tags) };
    return { segment: of(run.segmentName, segmentFilter), excludeSegment: of(run.excludeName, excludeFilter) };
  }

  private async checked(sql: Sql, ownerId: number, { name, filter }: SegmentInput) {
    const text = name.trim();
    const errors = [...at('name', nameProblem(text))];
    const checked = checkFilter(filter, await readContext(sql, ownerId, filter));
    if (!checked.ok || errors.length > 0) throw new ValidationError([...errors, ...(checked.ok ? [] : checked.errors)]);
    return { name: text, filter: checked.filter };
  }
}

const segmentsIn = (tx: Transaction) => tx.manager.getRepository(Segment);

const nameProblem = (name: string) => (name === '' ? problem('empty') : singleLineProblem(name, NAME_MAX));

function nameOf(given: string): string {
  const name = given.trim();
  const found = nameProblem(name);
  if (found) throw new ValidationError(at('name', found));
  return name;
}

async function nameAware<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!violates(error, 'segments_owner_id_name_key')) throw error;
    throw new ConflictError('SEGMENT_NAME_TAKEN', `There is a segment called ${name} already.`);
  }
}

/** Of a segment that no mailing uses; the caller has locked it. */
export const deleteSegment = (tx: Transaction, id: number) => segmentsIn(tx).delete({ id });

/** The owner's fields and tags stay until the commit, so that none is deleted while a segment that names it is saved. */
async function holdNames(tx: Transaction, ownerId: number): Promise<void> {
  await holdFields(tx, ownerId);
  await tx.rows('SELECT FROM tags WHERE owner_id = $1 ORDER BY id FOR KEY SHARE', [ownerId]);
}
