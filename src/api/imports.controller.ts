import { Controller, Get, HttpCode, Post, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiConsumes, ApiTags } from '@nestjs/swagger';
import busboy from 'busboy';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';
import type { Request } from 'express';
import { Readable } from 'node:stream';
import { DomainError, ValidationError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import type { Import } from '../features/clients/import.entity';
import { ImportsService } from '../features/clients/imports.service';
import { OwnedPageDto, toBoolean } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

class ImportQueryDto {
  /** Checks and counts only. */
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean({ message: 'must be true or false' })
  dryRun?: boolean;
}

const importAnswer = (i: Import) => ({
  id: i.id,
  ownerId: i.ownerId,
  status: i.status,
  reason: i.reason,
  dryRun: i.dryRun,
  fileName: i.fileName,
  encoding: i.encoding,
  delimiter: i.delimiter,
  rows: i.rows,
  added: i.added,
  updated: i.updated,
  rejected: i.rejected,
  createdAt: i.createdAt,
  finishedAt: i.finishedAt,
});

@ApiTags('clients')
@ApiBearerAuth()
@Controller()
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  /** A CSV file with the header email,full_name,comment, as the body (text/csv) or as the field `file` (multipart). */
  @Post('clients/import')
  @HttpCode(202)
  @ApiConsumes('text/csv', 'multipart/form-data')
  async begin(@CurrentViewer() viewer: Viewer, @Req() request: Request, @Query() query: ImportQueryDto) {
    const { fileName, stream } = await upload(request);
    return this.imports.begin(viewer, { fileName, dryRun: query.dryRun ?? false }, stream);
  }

  @Get('imports')
  async list(@CurrentViewer() viewer: Viewer, @Query() query: OwnedPageDto) {
    const page = await this.imports.list(viewer, query);
    return { ...page, items: page.items.map(importAnswer) };
  }

  /** Progress and, of the rejected lines, the first hundred. */
  @Get('imports/:id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    const found = await this.imports.get(viewer, id);
    return { ...importAnswer(found), errors: found.errors };
  }

  @Get('imports/:id/errors.csv')
  async errors(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return new StreamableFile(Readable.from(await this.imports.errorsCsv(viewer, id)), {
      disposition: `attachment; filename="import-${id}-errors.csv"`,
      type: 'text/csv; charset=utf-8',
    });
  }
}

/** The file of a request, as it comes in. */
async function upload(request: Request): Promise<{ fileName: string; stream: Readable }> {
  if (request.is('text/csv')) return { fileName: '', stream: request };
  if (!request.is('multipart/form-data')) {
    throw new DomainError(
      'unsupported',
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the file as text/csv, or as the field `file` of multipart/form-data.',
    );
  }
  return new Promise((resolve, reject) => {
    const form = busboy({ headers: request.headers, limits: { files: 1, fields: 10 } });
    form.once('file', (_field, stream, { filename }) => resolve({ fileName: filename ?? '', stream }));
    form.once('close', () => reject(new ValidationError([{ field: 'file', message: 'is missing' }])));
    form.once('error', (error) => reject(error instanceof Error ? error : new Error(String(error))));
    request.pipe(form);
  });
}
