import { Body, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { IntersectionType } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import type { SegmentFilter } from '../domain/segment-filter';
import { COUNT_MS, SegmentCountService } from '../features/audiences/segment-count.service';
import { SegmentsService, type SegmentView } from '../features/audiences/segments.service';
import { SegmentDeletion } from '../features/mailings/segment-deletion.service';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';
import { FILTER_SCHEMA, filterValue } from './dto/filter.dto';
import { SearchDto } from './dto/list.dto';
import { PartialType } from './dto/optional.dto';
import { RecipientAnswer } from './dto/recipient.dto';
import { IfMatch, since, TakesIfMatch, version, VersionDto } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, id, listOf, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

class SegmentDto {
  @IsString()
  @MaxLength(1_000)
  name!: string;

  @Said(FILTER_SCHEMA)
  filter!: unknown;
}

class SegmentPatchDto extends IntersectionType(PartialType(SegmentDto), VersionDto) {}

class SegmentCountDto {
  @Said(FILTER_SCHEMA)
  filter!: unknown;
}

class SegmentAnswer extends Shape({
  id,
  version,
  ownerId: id,
  name: text,
  filter: filterValue,
  mailingCount: said('How many mailings go to it or leave it out.', count),
  createdAt: time,
  updatedAt: time,
}) {}

class SegmentCountAnswer extends Shape({
  count: said('Null if it took too long to count them.', nullable(count)),
  code: said('`SEGMENT_TOO_SLOW` then, else null.', nullable(oneOf(['SEGMENT_TOO_SLOW']))),
  sample: said('The first ten of them.', listOf(part(RecipientAnswer))),
}) {}

const CONFLICTS = ['SEGMENT_NAME_TAKEN', 'TOO_MANY_SEGMENTS'] as const;

@ApiController('segments')
export class SegmentsController {
  constructor(
    private readonly segments: SegmentsService,
    private readonly counts: SegmentCountService,
    private readonly deletion: SegmentDeletion,
  ) {}

  @Get()
  @Operation('Segments, newest first', pageOf(SegmentAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SearchDto) {
    const page = await this.segments.list(viewer, query);
    return { ...page, items: (await this.segments.namedAll(page.items)).map((each) => SegmentAnswer.of(each)) };
  }

  @Post()
  @Operation('Add a segment: a saved filter over clients', SegmentAnswer, { conflicts: CONFLICTS })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: SegmentDto) {
    return this.answer(await this.segments.create(viewer, body));
  }

  @Post('count')
  @Operation('How many clients a filter finds, and the first of them', SegmentCountAnswer)
  @HttpCode(200)
  async count(@CurrentViewer() viewer: Viewer, @Body() { filter }: SegmentCountDto) {
    const counted = await this.counts.count(viewer, filter, COUNT_MS.asked);
    return SegmentCountAnswer.of({ ...counted, code: counted.count === null ? 'SEGMENT_TOO_SLOW' : null });
  }

  @Get(':id')
  @Operation('A segment', SegmentAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.answer(await this.segments.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change a segment; runs that have begun keep their filter', SegmentAnswer, {
    conflicts: [...CONFLICTS, 'CHANGED_MEANWHILE'],
  })
  @TakesIfMatch()
  async update(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: SegmentPatchDto,
    @IfMatch() header?: number,
  ) {
    return this.answer(await this.segments.update(viewer, id, since(body, header)));
  }

  @Delete(':id')
  @Operation('Delete a segment that no mailing uses', null, { conflicts: ['SEGMENT_IN_USE'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.deletion.delete(viewer, id);
  }

  private async answer(segment: SegmentView): Promise<SegmentAnswer> {
    const filter: SegmentFilter = await this.segments.named(segment.ownerId, segment.filter);
    return SegmentAnswer.of({ ...segment, filter });
  }
}
