import { Body, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import { english } from '../domain/problem-texts';
import { batchDecisions, batchKinds, suppressionReasons, type SuppressionReason } from '../domain/suppression';
import { SuppressionBatches, type BatchView } from '../features/consent/batches.service';
import { SuppressionImports } from '../features/consent/suppression-imports.service';
import { Id } from '../http/id.pipe';
import { takeUpload } from '../http/upload';
import { Allows, CurrentViewer, TakesUpload } from '../http/viewer';
import { IsId } from './dto/id.dto';
import { instant } from './dto/instant';
import { PageDto } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { csvUpload, Operation } from './openapi/operation';
import { codedProblem } from './openapi/problems';
import { count, id, listOf, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

class SuppressionImportQueryDto {
  @IsOptional()
  @IsIn(suppressionReasons)
  @Said({ description: 'The reason of lines that name none; `unsubscribed` if absent.' })
  reason?: SuppressionReason;
}

class UndoDto {
  @Optional()
  @IsId()
  batchId?: number;

  @Optional()
  @IsString()
  @MaxLength(100)
  @Said({ format: 'date-time', description: 'Hard bounces since then; for managers.' })
  from?: string;

  @Optional()
  @IsString()
  @MaxLength(100)
  @Said({ format: 'date-time', description: 'Hard bounces until then.' })
  to?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  @Said({ description: "Only of this domain of the recipients' addresses." })
  provider?: string;
}

class RejectedLineAnswer extends Shape({ line: count, field: text, ...codedProblem }) {}

class SuppressionBatchAnswer extends Shape({
  id,
  kind: said(
    '`import`: the lines of a file. `outage`: a mail server suddenly refused many addresses; they were not suppressed.',
    oneOf(batchKinds),
  ),
  createdAt: time,
  ownerId: nullable(id),
  fileName: text,
  rows: count,
  added: said('Lines that suppressed an address.', count),
  known: said('Lines whose address was suppressed for the same reason before, or by an earlier line.', count),
  ignored: said('Lines that say themselves that the address gets mail, or that are about one mailing only.', count),
  rejected: count,
  ignoredColumns: listOf(text),
  errors: said('Of the rejected lines, the first hundred.', listOf(part(RejectedLineAnswer))),
  domain: said('Of an outage; null: all domains together.', nullable(text)),
  refused: said('Addresses that were refused for good within an hour, when it was seen last.', count),
  accepted: said('Letters that were taken in that hour.', count),
  until: said('Until then such refusals suppress nobody there.', nullable(time)),
  decision: nullable(oneOf(batchDecisions)),
  decidedAt: nullable(time),
  inForce: said('How many addresses are suppressed because of it at present.', count),
  lifted: said('How many are not: lifted, or withheld by an outage.', count),
}) {}

class UndoneAnswer extends Shape({ lifted: count }) {}
class SuppressedAnswer extends Shape({ suppressed: count }) {}

const answer = (batch: BatchView) =>
  SuppressionBatchAnswer.of({
    ...batch,
    errors: batch.problems.flatMap(({ line, errors }) =>
      errors.map((error) => ({ line, ...error, message: english(error) })),
    ),
  });

const UPLOAD = csvUpload(
  'CSV whose header names a column `email`; `reason`, `detail` and `created_at` if there are such. The exports of ' +
    'other mailing services are understood.',
);

/** Suppressions that came together or are undone together. */
@ApiController('suppressions')
export class SuppressionBatchesController {
  constructor(
    private readonly imports: SuppressionImports,
    private readonly batches: SuppressionBatches,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('import')
  @Operation('Suppress the addresses of a CSV file, all or none', SuppressionBatchAnswer, { upload: UPLOAD })
  @TakesUpload()
  @HttpCode(200)
  async import(
    @CurrentViewer() viewer: Viewer,
    @Req() request: Request,
    @Query() { reason }: SuppressionImportQueryDto,
  ) {
    const { fileName, stream } = await takeUpload(request, ['text/csv'], this.config.bodyIdleMs);
    return answer(await this.imports.take(viewer, { fileName, ...(reason && { reason }) }, stream));
  }

  @Get('batches')
  @Operation(
    'Files that were imported, and for managers outages of mail servers, newest first',
    pageOf(SuppressionBatchAnswer),
  )
  async list(@CurrentViewer() viewer: Viewer, @Query() query: PageDto) {
    const page = await this.batches.list(viewer, query);
    return { ...page, items: page.items.map(answer) };
  }

  @Get('batches/:id')
  @Operation('One of them', SuppressionBatchAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return answer(await this.batches.get(viewer, id));
  }

  @Post('batches/:id/suppress')
  @Operation('Suppress after all the addresses that an outage withheld', SuppressedAnswer, {
    conflicts: ['NOTHING_WITHHELD'],
  })
  @Allows('outages.decide')
  @HttpCode(200)
  async suppress(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return { suppressed: await this.batches.suppressAll(viewer, id) };
  }

  @Post('undo')
  @Operation('Lift all suppressions of a batch, or all hard bounces of a time and domain', UndoneAnswer, {
    problems: [404],
  })
  @HttpCode(200)
  async undo(@CurrentViewer() viewer: Viewer, @Body() { batchId, from, to, provider }: UndoDto) {
    const lifted = await this.batches.undo(viewer, {
      ...(batchId !== undefined && { batchId }),
      ...instant('from', from),
      ...instant('to', to),
      ...(provider !== undefined && { provider }),
    });
    return { lifted };
  }
}
