import { Body, Get, HttpCode, Inject, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsArray, IsBoolean, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { fieldTypes } from '../domain/client-fields';
import { encodingNamed, textEncodings } from '../domain/csv-encoding';
import { textDelimiters } from '../domain/csv-table';
import { invalid } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { english, told } from '../domain/problem-texts';
import { problem } from '../domain/problems';
import type { Look } from '../features/clients/import-inspector.service';
import { type ImportMode, importModes, importStatuses } from '../features/clients/import.entity';
import { ImportsService, type ImportView } from '../features/clients/imports.service';
import { OwnedPageDto, toBoolean } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { Id } from '../http/id.pipe';
import { csvFile } from '../http/csv-file';
import { declaredForm, TABLE_TYPES, takeUpload } from '../http/upload';
import { CurrentViewer, TakesUpload } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation, tableUpload } from './openapi/operation';
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

class NewImportQueryDto extends ImportQueryDto {
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  @Said({ description: 'Keeps the file for an hour and answers 200 with its columns, for `/imports/{id}/apply`.' })
  inspect?: boolean;
}

class LookDto {
  @Optional()
  @IsString()
  @MaxLength(40)
  @Said({ description: 'A WHATWG name, if the guess was wrong.' })
  encoding?: string;

  @Optional()
  @IsIn(textDelimiters)
  delimiter?: string;

  @Optional()
  @IsString()
  @MaxLength(100)
  @Said({ description: 'Of a workbook; the first one if absent.' })
  sheet?: string;

  @Optional()
  @Transform(toBoolean)
  @IsBoolean()
  @Said({ description: 'Whether the first line names the columns; guessed if absent.' })
  hasHeader?: boolean;
}

class ApplyDto extends LookDto {
  @Optional()
  @IsObject()
  @Said({
    additionalProperties: { type: 'string' },
    description:
      'By the index of the column: email, fullName, firstName, middleName, lastName, comment, tags, status, ' +
      'fields.KEY, new:TYPE (a field called after the column) or ignore. The suggested one if absent.',
  })
  mapping?: Record<string, unknown>;

  @Optional()
  @IsIn(importModes)
  @Said({ description: '`add` leaves known clients alone, `update` adds none; `upsert` if absent.' })
  mode?: ImportMode;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'For all rows; those that are not there are made.' })
  tags?: string[];

  @Optional()
  @IsArray()
  @Said({
    items: {
      type: 'object',
      properties: {
        key: { type: 'string' },
        label: { type: 'string' },
        type: { type: 'string', enum: fieldTypes },
        options: { type: 'array', items: { type: 'string' } },
      },
      required: ['key', 'type'],
    },
    description: 'Fields that are made first, unless it is a dry run.',
  })
  createFields?: unknown[];

  @Optional()
  @IsIn(['leave', 'clear'])
  @Said({ description: 'What empty cells do to known clients; `leave` if absent.' })
  emptyCells?: 'leave' | 'clear';

  @Optional()
  @IsBoolean()
  @Said({ description: 'Checks and counts only; the file stays, and may be imported after that.' })
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
  skipped: said('Rows that the mode left out.', count),
  statusRows: said('Rows whose status says that the address gets no mail.', count),
  newlySuppressed: said('Addresses that are suppressed because of that.', count),
  mode: oneOf(importModes),
  ignoredColumns: said('Names of columns from which nothing was taken.', listOf(text)),
  undoAt: said('Since when it is being undone.', nullable(time)),
  undoneAt: nullable(time),
  undone: said('Clients that undoing deleted.', count),
  undoKept: said('Clients that undoing left: something was sent to them, or they were changed.', count),
  createdAt: time,
  finishedAt: nullable(time),
};

class ImportAnswer extends Shape(facts) {}

class ImportErrorAnswer extends Shape({
  line: count,
  email: said('As it stands in the file.', text),
  field: text,
  ...codedProblem,
}) {}

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

class ImportColumnAnswer extends Shape({
  index: count,
  header: text,
  samples: said('Three values.', listOf(text)),
  suggested: said('What it probably is, for the mapping.', text),
  newField: said(
    'The field that could be made for it.',
    part(class NewFieldAnswer extends Shape({ key: text, label: text, type: oneOf(fieldTypes) }) {}),
  ),
}) {}

class ImportColumnsAnswer extends Shape({
  importId: id,
  fileName: text,
  encoding: said('Null: a workbook.', nullable(text)),
  encodingSure: said('False: other encodings are almost as likely. Look at the samples.', flag),
  delimiter: nullable(text),
  sheets: said('Of a workbook.', listOf(text)),
  sheet: nullable(text),
  hasHeader: flag,
  rows: said('How many records it has; null: too many to be counted now.', nullable(count)),
  columns: listOf(part(ImportColumnAnswer)),
}) {}

const UPLOAD = tableUpload('CSV, or an Excel workbook (.xlsx), with a line that names the columns, one of them email.');

/** A look as it was asked for. @throws ValidationError for an encoding that is not known */
const lookOf = ({ encoding, ...look }: LookDto): Required<Look> => {
  const known = encoding ? encodingNamed(encoding) : null;
  if (encoding && !known) throw invalid('encoding', problem('one_of', { options: textEncodings }));
  return {
    delimiter: look.delimiter ?? null,
    sheet: look.sheet ?? null,
    hasHeader: look.hasHeader ?? null,
    encoding: known,
  };
};

const FILE_CONFLICTS = ['IMPORT_APPLIED', 'IMPORT_FILE_GONE', 'IMPORT_RUNNING'] as const;

@ApiController('', 'clients')
export class ImportsController {
  constructor(
    private readonly imports: ImportsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('clients/import')
  @Operation('Add and change clients by a file, or look at its columns first', ImportBegunAnswer, {
    upload: UPLOAD,
    answers: { 200: ImportColumnsAnswer },
  })
  @TakesUpload()
  @HttpCode(202)
  async begin(
    @CurrentViewer() viewer: Viewer,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Query() { dryRun = false, inspect = false }: NewImportQueryDto,
  ) {
    const { fileName, stream } = await takeUpload(request, TABLE_TYPES, this.config.bodyIdleMs);
    const given = { fileName, dryRun, ...declaredForm(request) };
    if (!inspect) return this.imports.begin(viewer, given, stream);
    const columns = await this.imports.keep(viewer, given, stream);
    response.status(200);
    return ImportColumnsAnswer.of(columns);
  }

  @Get('imports/:id/columns')
  @Operation('The columns of a kept file, read in another way', ImportColumnsAnswer, { conflicts: FILE_CONFLICTS })
  async columns(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: LookDto) {
    return ImportColumnsAnswer.of(await this.imports.inspect(viewer, id, lookOf(query)));
  }

  @Post('imports/:id/apply')
  @Operation('Import a kept file', ImportBegunAnswer, { conflicts: FILE_CONFLICTS })
  @HttpCode(202)
  async apply(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ApplyDto) {
    const { mapping, mode, tags, createFields, emptyCells, dryRun } = body;
    return this.imports.apply(viewer, id, { mapping, mode, tags, createFields, emptyCells, dryRun, ...lookOf(body) });
  }

  @Post('imports/:id/undo')
  @Operation('Delete the clients that an import added and to whom nothing was sent since', ImportBegunAnswer, {
    conflicts: ['IMPORT_NOT_UNDOABLE'],
  })
  @HttpCode(202)
  async undo(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.imports.undo(viewer, id);
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

  @Get('imports/:id/rejected.csv')
  @Operation('The rejected lines with the columns of their file, their number and the reason, as CSV', CSV)
  async rejected(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return csvFile(await this.imports.rejectedCsv(viewer, id, english), `import-${id}-rejected.csv`);
  }
}
