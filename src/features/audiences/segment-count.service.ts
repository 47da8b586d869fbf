import { Injectable } from '@nestjs/common';
import { within } from '../../database/bounded';
import { Database, type Sql } from '../../database/database';
import { DomainError, NotFoundError } from '../../domain/errors';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from '../clients/segment-sql';
import { SegmentsService } from './segments.service';

/** A client in a sample. */
export interface SampleClient {
  id: number;
  email: string;
  fullName: string;
}

/** How many clients belong to a segment, null if counting took too long, and the first of them. */
export interface SegmentCount {
  count: number | null;
  sample: SampleClient[];
}

/** How long counting may take, in milliseconds: while somebody waits, for a program, in the background. */
export const COUNT_MS = { atOnce: 300, asked: 3_000, patient: 30_000 } as const;
const SAMPLE = 10;
/** How many of a process's connections counts may take at a time. */
const AT_A_TIME = 3;
/** So many counts of one user run or wait at once: the others of a process wait for no more than these. */
const OF_ONE = 4;
const RETRY_S = 5;
/** The first number of the advisory locks by which a user has one patient count at a time. */
const LOCK = 7_201_517;

/** Counts who belongs to a segment that is being made. */
@Injectable()
export class SegmentCountService {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** How many of each user run or wait. */
  private readonly byUser = new Map<number, number>();

  constructor(
    private readonly database: Database,
    private readonly segments: SegmentsService,
  ) {}

  /**
   * @param ownerId whose clients; the viewer's, if it is not given
   * @throws ValidationError for a filter that is none, DomainError RATE_LIMITED
   */
  async count(viewer: Viewer, given: unknown, ms: number, ownerId = viewer.userId): Promise<SegmentCount> {
    const readable = readableOwner(viewer);
    if (readable !== null && readable !== ownerId) throw new NotFoundError('User', ownerId);
    const filter = await this.segments.check(ownerId, given);
    return this.inTurn(viewer.userId, () => this.countOf(ownerId, filter, ms));
  }

  /** The same with much time, once at a time for each user. @returns null while another one of theirs is under way */
  async countPatiently(viewer: Viewer, given: unknown, ownerId = viewer.userId): Promise<SegmentCount | null> {
    const readable = readableOwner(viewer);
    if (readable !== null && readable !== ownerId) throw new NotFoundError('User', ownerId);
    const filter = await this.segments.check(ownerId, given);
    if (this.running >= AT_A_TIME) return null;
    return this.inTurn(viewer.userId, () =>
      this.database.transaction(async (tx) => {
        const lock = await tx.first<{ free: boolean }>(
          'SELECT pg_try_advisory_xact_lock($1::int, ($2::bigint % 2147483647)::int) AS free',
          [LOCK, viewer.userId],
        );
        return lock?.free ? this.read(tx, ownerId, filter, COUNT_MS.patient) : null;
      }),
    );
  }

  private countOf(ownerId: number, filter: SegmentFilter, ms: number): Promise<SegmentCount> {
    return this.database.transaction((tx) => this.read(tx, ownerId, filter, ms));
  }

  private async read(tx: Parameters<typeof within>[0], ownerId: number, filter: SegmentFilter, ms: number) {
    const owner = await tx.first<{ timeZone: string }>('SELECT time_zone FROM users WHERE id = $1', [ownerId]);
    const params: unknown[] = [ownerId];
    const members = segmentSql(filter, { timeZone: owner?.timeZone ?? 'UTC', now: null }, params);
    const from = `FROM clients c WHERE c.owner_id = $1 AND ${members}`;
    const counted = await within(tx, ms, (sql) => sql.first<{ n: number }>(`SELECT count(*) AS n ${from}`, params));
    // The index in the order of ids makes it cheap where many match; where few do, the count was cheap as well or is not known.
    const found = await within(tx, ms, (sql: Sql) =>
      sql.rows<SampleClient>(`SELECT c.id, c.email, c.full_name ${from} ORDER BY c.id LIMIT ${SAMPLE}`, params),
    );
    return { count: counted ? (counted.value?.n ?? 0) : null, sample: found?.value ?? [] };
  }

  /** Whoever comes while so many are counted waits: a count must not take the connections that letters need. */
  private async inTurn<T>(userId: number, work: () => Promise<T>): Promise<T> {
    const own = this.byUser.get(userId) ?? 0;
    if (own >= OF_ONE)
      throw new DomainError('rate_limited', 'RATE_LIMITED', `At most ${OF_ONE} counts of one user at once.`, {
        retryAfterS: RETRY_S,
      });
    this.byUser.set(userId, own + 1);
    try {
      return await this.whenFree(work);
    } finally {
      const left = (this.byUser.get(userId) ?? 1) - 1;
      if (left > 0) this.byUser.set(userId, left);
      else this.byUser.delete(userId);
    }
  }

  private async whenFree<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_A_TIME) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
