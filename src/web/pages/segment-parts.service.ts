import { Injectable } from '@nestjs/common';
import { DomainError, ValidationError } from '../../domain/errors';
import { mentioned } from '../../domain/segment-filter-check';
import type { SegmentFilter } from '../../domain/segment-filter';
import type { Viewer } from '../../domain/permissions';
import { COUNT_MS, type SegmentCount, SegmentCountService } from '../../features/audiences/segment-count.service';
import { type RunSegments, SegmentsService, type SegmentView } from '../../features/audiences/segments.service';
import type { FilterNames } from '../../features/clients/segment-context';
import type { Reader } from '../reader';
import { type Groups, parsed } from '../segment-form';
import { filterSentence } from '../segment-words';
import { wholeNumber } from '../web-controller';

/** What pages show of segments beside themselves. */
@Injectable()
export class SegmentParts {
  constructor(
    private readonly segments: SegmentsService,
    private readonly counts: SegmentCountService,
  ) {}

  /** What the filters of a list name, by owner. */
  async namesOf(segments: readonly SegmentView[]): Promise<Map<number, FilterNames>> {
    const names = new Map<number, FilterNames>();
    for (const ownerId of new Set(segments.map((segment) => segment.ownerId))) {
      const own = segments.filter((segment) => segment.ownerId === ownerId);
      names.set(
        ownerId,
        await this.segments.names(
          ownerId,
          own.map(({ filter }) => filter),
        ),
      );
    }
    return names;
  }

  /** What a form shows: what its parts name, and what it offers. */
  async ofForm(ownerId: number, groups: Groups) {
    const rows = groups.flatMap((group) => group.rows);
    const kept = rows.flatMap((row) => mentioned(parsed(row.kept ?? 'null')).mailings);
    const chosen = rows.map((row) => wholeNumber(row.value)).filter((id) => id !== undefined);
    const named = [...kept, ...chosen].map((mailingId) => ({
      field: 'received',
      op: 'is' as const,
      value: { mailingId },
    }));
    const [names, offers] = await Promise.all([
      this.segments.names(ownerId, named),
      this.segments.vocabulary(ownerId, chosen),
    ]);
    return { names, ...offers };
  }

  /** The count of a filter while somebody waits, null while too many of theirs are under way; or what is wrong with it. */
  async count(
    viewer: Viewer,
    filter: unknown,
    ownerId: number,
    ms: number = COUNT_MS.atOnce,
  ): Promise<{ count: SegmentCount | null; error: ValidationError | null }> {
    try {
      return { count: await this.counts.count(viewer, filter, ms, ownerId), error: null };
    } catch (error) {
      if (error instanceof ValidationError) return { count: null, error };
      if (isTooOften(error)) return { count: null, error: null };
      throw error;
    }
  }

  /** The count with much time. `busy`: another one of the viewer is under way. */
  async countPatiently(
    viewer: Viewer,
    filter: unknown,
    ownerId: number,
  ): Promise<{ count: SegmentCount | null; isLast: boolean }> {
    try {
      const count = await this.counts.countPatiently(viewer, filter, ownerId);
      return { count: count ?? { count: null, sample: [] }, isLast: count !== null };
    } catch (error) {
      if (error instanceof ValidationError) return { count: null, isLast: true };
      if (isTooOften(error)) return { count: { count: null, sample: [] }, isLast: false };
      throw error;
    }
  }

  /** The segments that a run began with, in words: their names, and their filters. */
  async ofRun(reader: Reader, run: RunSegments) {
    const { segmentFilter, excludeFilter, segmentName, excludeName, ownerId } = run;
    if (!segmentFilter && !excludeFilter) return null;
    const filters = [segmentFilter, excludeFilter].filter((filter) => filter !== null);
    const wording = { t: reader.t, format: reader.format, names: await this.segments.names(ownerId, filters) };
    const of = (name: string | null, filter: SegmentFilter | null) =>
      filter && { name: name ?? '', words: filterSentence(filter, wording) };
    return { segment: of(segmentName, segmentFilter), exclude: of(excludeName, excludeFilter) };
  }
}

const isTooOften = (error: unknown): boolean => error instanceof DomainError && error.code === 'RATE_LIMITED';
