import { Body, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ArrayMaxSize, IsArray, IsIn, IsString, MaxLength } from 'class-validator';
import type { Request } from 'express';
import { type BulkAction, bulkActions, bulkStatuses } from '../domain/bulk';
import { ValidationError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { at, problem } from '../domain/problems';
import { type SubscriptionStatus, subscriptionStatuses } from '../domain/subscription';
import { BULK_IDS_MAX, BulkJobs, type NewBulkJob } from '../features/clients/bulk-jobs.service';
import { MANY_IDS_BYTES } from '../http/body';
import { Id } from '../http/id.pipe';
import { CurrentViewer, TakesBodies } from '../http/viewer';
import { IsId } from './dto/id.dto';
import { PageDto } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, id, nullable, oneOf, pageOf, said, Shape, time } from './openapi/shape';

class BulkJobAnswer extends Shape({
  id,
  ownerId: id,
  action: oneOf(bulkActions),
  status: oneOf(bulkStatuses),
  total: said('How many clients there were to do; null if they were not counted.', nullable(count)),
  done: said('How many of them are done.', count),
  createdAt: time,
  finishedAt: nullable(time),
}) {}

class BulkBegunAnswer extends Shape({ jobId: id }) {}

class BulkDto {
  @IsIn(bulkActions)
  action!: BulkAction;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'Names, of `tag` and `untag` only; tags to be given that do not exist are made.' })
  tags?: string[];

  @Optional()
  @IsArray()
  @ArrayMaxSize(BULK_IDS_MAX)
  @IsId({ each: true })
  @Said({ description: 'These clients; without them all whom the other fields find.' })
  clientIds?: number[];

  @Optional()
  @IsString()
  @MaxLength(200)
  search?: string;

  @Optional()
  @IsIn(['all'])
  @Said({ description: 'Comments and fields are searched, too; with `search` only.' })
  searchIn?: 'all';

  @Optional()
  @IsString()
  @MaxLength(200)
  @Said({ description: 'The name of a tag, or its id.' })
  tag?: string;

  @Optional()
  @IsIn(subscriptionStatuses)
  subscription?: SubscriptionStatus;

  @Optional()
  @IsId()
  segmentId?: number;

  @Optional()
  @IsIn([true])
  @Said({ description: 'All clients; then there is no filter.' })
  all?: true;
}

function selectionOf({ clientIds, action, tags, all, ...filter }: BulkDto): NewBulkJob {
  return { action, ...(tags && { tags }), ...(clientIds && { clientIds }), ...(all && { all }), filter };
}

@ApiController('clients')
@TakesBodies(MANY_IDS_BYTES)
export class BulkController {
  constructor(private readonly bulk: BulkJobs) {}

  @Post('bulk')
  @HttpCode(202)
  @Operation('Change or delete many clients, in the background', BulkBegunAnswer, { conflicts: ['TAGS_FULL'] })
  begin(@CurrentViewer() viewer: Viewer, @Body() body: BulkDto, @Req() { query }: Request): Promise<{ jobId: number }> {
    // A filter that stands in the address would be overlooked, and more clients changed than were meant.
    const misplaced = Object.keys(query).flatMap((name) => at(name, problem('unknown_field')));
    if (misplaced.length > 0) throw new ValidationError(misplaced);
    return this.bulk.begin(viewer, selectionOf(body));
  }
}

@ApiController('jobs')
export class JobsController {
  constructor(private readonly bulk: BulkJobs) {}

  @Get()
  @Operation('What was done to many clients, newest first', pageOf(BulkJobAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: PageDto) {
    const page = await this.bulk.list(viewer, query);
    return { ...page, items: page.items.map((job) => BulkJobAnswer.of(job)) };
  }

  @Get(':id')
  @Operation('How far it is', BulkJobAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return BulkJobAnswer.of(await this.bulk.get(viewer, id));
  }

  @Post(':id/stop')
  @HttpCode(200)
  @Operation('End it; what was done stays', BulkJobAnswer)
  async stop(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return BulkJobAnswer.of(await this.bulk.stop(viewer, id));
  }
}
