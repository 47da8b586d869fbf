import { Get, Inject, Post, Req, StreamableFile } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { encodingNamed } from '../../domain/csv-encoding';
import { textDelimiters } from '../../domain/csv-table';
import type { Viewer } from '../../domain/permissions';
import { worded } from '../../domain/problems';
import type { Look } from '../../features/clients/import-inspector.service';
import type { ImportRequest } from '../../features/clients/import-plans.service';
import { importModes, type ImportStatus } from '../../features/clients/import.entity';
import { ImportsService } from '../../features/clients/imports.service';
import { Id } from '../../http/id.pipe';
import { csvFile } from '../../http/csv-file';
import { takeUpload } from '../../http/upload';
import { CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, type FormState, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController } from '../web-controller';
import { ImportMappingPage } from './imports-mapping.page';
import { ImportFormPage, ImportLive, ImportPage } from './imports.page';

@WebController('clients/import')
export class ImportsWebController {
  constructor(
    private readonly imports: ImportsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async blank(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    const { items } = await this.imports.list(viewer, { limit: 10 });
    return page((t) => t.imports.title, <ImportFormPage form={emptyForm()} imports={items} />);
  }

  @Post()
  @TakesUpload()
  begin(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Req() request: Request): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        const { fileName, stream } = await takeUpload(request, [], this.config.bodyIdleMs);
        const { importId } = await this.imports.keep(viewer, { fileName }, stream);
        return redirect(`/clients/import/${importId}`);
      },
      (state) => page((t) => t.imports.title, <ImportFormPage form={state} imports={[]} />),
    );
  }

  /** How far it is; or, as long as that is not decided, what the columns of its file are. */
  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() ask: FormValues): Promise<WebAnswer> {
    const found = await this.imports.get(viewer, id);
    const undecided =
      found.keptAt !== null && found.ownerId === viewer.userId && isUndecided(found.status, found.dryRun);
    if (undecided && (found.status === 'waiting' || ask.columns === '1'))
      return this.mapping(viewer, id, lookOf(ask), emptyForm({ mode: 'upsert' }));
    return page((t) => t.imports.title, <ImportPage found={found} />);
  }

  @Post(':id/apply')
  apply(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() values: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      values,
      async () => {
        await this.imports.apply(viewer, id, { ...lookOf(values), ...decisionOf(values) });
        return redirect(`/clients/import/${id}`);
      },
      (state) => this.mapping(viewer, id, lookOf(values), state),
    );
  }

  /** What was checked is imported in the same way. */
  @Post(':id/now')
  async applyChecked(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.imports.apply(viewer, id, 'as checked');
    return redirect(`/clients/import/${id}`);
  }

  @Post(':id/undo')
  async undo(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.imports.undo(viewer, id);
    return redirect(`/clients/import/${id}`);
  }

  @Get(':id/live')
  async live(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return fragment(<ImportLive found={await this.imports.get(viewer, id)} />);
  }

  @Get(':id/errors.csv')
  async errors(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() { t }: Reader,
    @Id() id: number,
  ): Promise<StreamableFile> {
    const lines = await this.imports.errorsCsv(viewer, id, (found) => worded(t.problems, found));
    return csvFile(lines, `import-${id}-errors.csv`);
  }

  @Get(':id/rejected.csv')
  async rejected(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() { t }: Reader,
    @Id() id: number,
  ): Promise<StreamableFile> {
    const lines = await this.imports.rejectedCsv(viewer, id, (found) => worded(t.problems, found));
    return csvFile(lines, `import-${id}-rejected.csv`);
  }

  private async mapping(viewer: Viewer, id: number, look: Look, form: FormState): Promise<WebAnswer> {
    const { fields, ...seen } = await this.imports.inspect(viewer, id, look);
    return page((t) => t.imports.title, <ImportMappingPage seen={seen} look={look} fields={fields} form={form} />);
  }
}

/** Whether it may still be decided what a kept file's columns are. */
const isUndecided = (status: ImportStatus, dryRun: boolean): boolean =>
  status === 'waiting' || status === 'failed' || (status === 'done' && dryRun);

/** How the file is to be read; what is not chosen is guessed. */
function lookOf({ encoding, delimiter, sheet, header }: FormValues): Look {
  return {
    encoding: encodingNamed(encoding ?? ''),
    delimiter: oneOf(textDelimiters, delimiter) ?? null,
    sheet: sheet || null,
    hasHeader: header === '1' ? true : header === '0' ? false : null,
  };
}

/** What the form says is to be done. */
function decisionOf(values: FormValues): ImportRequest {
  const mapping = Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name.startsWith('column.'))
      .map(([name, target]) => [name.slice('column.'.length), target]),
  );
  return {
    mapping,
    mode: oneOf(importModes, values.mode) ?? 'upsert',
    tags: (values.tags ?? '').split(/[,;]/),
    emptyCells: values.clear === '1' ? 'clear' : 'leave',
    dryRun: values.check === '1',
  };
}
