import { Get, HttpCode, Inject, Post, Query, Req, StreamableFile } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import { english, told } from '../domain/problem-texts';
import { importStatuses } from '../features/clients/import.entity';
import { ImportsService, type ImportView } from '../features/clients/imports.service';
import { OwnedPageDto, toBoolean } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { csvFile } from '../http/csv-file';
import { takeUpload } from '../http/upload';
import { CurrentViewer, TakesUpload } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, csvUpload, Operation } from './openapi/operation';
import { codedProblem } from './openapi/problems';
import {
  count,
  details,
  flag,
  id,
  listOf,
  nullable,
  oneOf,
  pageOf,
  part,
  said,
  Shape,
  text,
  time,
} from './openapi/shape';

class ImportQueryDto {
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  @Said({ description: 'Checks and counts only.' })
  dryRun?: boolean;
}

const facts = {
  id,
  ownerId: id,
  status: oneOf(importStatuses),
  reason: said('Why it failed.', nullable(text)),
  reasonCode: nullable(codedProblem.code),
  reasonValues: nullable(details),
  dryRun: flag,
  fileName: text,
  encoding: nullable(text),
  delimiter: nullable(text),
  rows: count,
  added: count,
  updated: count,
  rejected: count,
  suppressed: said('How many of the addresses get no mail of the owner.', count),
  createdAt: time,
  finishedAt: nullable(time),
};

class ImportAnswer extends Shape(facts) {}

class ImportErrorAnswer extends Shape({ line: count, field: text, ...codedProblem }) {}

class ImportDetailAnswer extends Shape({
  ...facts,
  errors: said('Of the rejected lines, the first hundred.', listOf(part(ImportErrorAnswer))),
}) {}

const answer = ({ reason, ...found }: ImportView) => ({
  ...found,
  reason: reason && english(reason),
  reasonCode: reason && reason.code,
  reasonValues: reason && reason.values,
});

class ImportBegunAnswer extends Shape({ importId: id }) {}

const UPLOAD = csvUpload('CSV with the header email,full_name,comment.');

@ApiController('', 'clients')
export class ImportsController {
  constructor(
    private readonly imports: ImportsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('clients/import')
  @Operation('Add and change clients by a CSV file', ImportBegunAnswer, { upload: UPLOAD })
  @TakesUpload()
  @HttpCode(202)
  async begin(@CurrentViewer() viewer: Viewer, @Req() request: Request, @Query() query: ImportQueryDto) {
    const { fileName, stream } = await takeUpload(request, ['text/csv'], this.config.bodyIdleMs);
    return this.imports.begin(viewer, { fileName, dryRun: query.dryRun ?? false }, stream);
  }

  @Get('imports')
  @Operation('Imports, newest first', pageOf(ImportAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: OwnedPageDto) {
    const page = await this.imports.list(viewer, query);
    return { ...page, items: page.items.map((each) => ImportAnswer.of(answer(each))) };
  }

  @Get('imports/:id')
  @Operation('How far an import is, and what was wrong', ImportDetailAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    const found = await this.imports.get(viewer, id);
    return ImportDetailAnswer.of({ ...answer(found), errors: found.errors.map(told) });
  }

  @Get('imports/:id/errors.csv')
  @Operation('What is wrong with the rejected lines, as CSV: the first 10,000 errors', CSV)
  async errors(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return csvFile(await this.imports.errorsCsv(viewer, id, english), `import-${id}-errors.csv`);
  }
}
