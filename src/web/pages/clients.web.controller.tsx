import { Get, Inject, Post, Req, Res, StreamableFile } from '@nestjs/common';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { mayChangeOf, readableOwner, type Viewer } from '../../domain/permissions';
import { tagsOf } from '../../domain/tag-names';
import { SegmentsService } from '../../features/audiences/segments.service';
import type { ClientFilter } from '../../features/clients/client-list';
import type { ClientView } from '../../features/clients/client-view';
import { type ClientInput, clientSorts, ClientsService } from '../../features/clients/clients.service';
import { isOffered } from '../../features/clients/field-definitions';
import { FieldsService } from '../../features/clients/fields.service';
import { TagsService } from '../../features/clients/tags.service';
import { Id } from '../../http/id.pipe';
import { csvFile } from '../../http/csv-file';
import { cookieOf, setCookie } from '../../http/session-cookie';
import { CurrentViewer } from '../../http/viewer';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import { clientFilter } from '../client-filter';
import { submit } from '../forms';
import { opened, versionOf } from '../kept-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { chosenColumns, clientForm } from './client-columns';
import { ClientParts } from './client-parts.service';
import { ClientPage } from './client.page';
import { ClientFormPage } from './client-form.page';
import { ClientsPage } from './clients.page';

/** A form names what is in it as REST does; it has all fields that are offered, and no others. */
const clientInput = ({ email = '', fullName = '', comment = '', tags, ...form }: FormValues): ClientInput => ({
  email,
  fullName,
  comment,
  fields: Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) =>
      name.startsWith(FIELDS) ? [[name.slice(FIELDS.length), value]] : [],
    ),
  ),
  ...(tags !== undefined && { tags: tagsOf(tags) }),
});
const FIELDS = 'fields.';
const COLUMNS_KEPT_MS = 400 * 86_400_000;

@WebController('clients')
export class ClientsWebController {
  constructor(
    private readonly clients: ClientsService,
    private readonly parts: ClientParts,
    private readonly fields: FieldsService,
    private readonly tags: TagsService,
    private readonly segments: SegmentsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() query: FormValues,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const { cursor } = query;
    const sorted = oneOf(clientSorts, query.sort) ?? '-id';
    const filter = filterOf(query);
    const clients = await this.clients.list(viewer, {
      ...filter,
      limit: 50,
      withTotal: !filter.search && !filter.subscription && !filter.segmentId,
      sort: sorted,
      ...(cursor && { cursor }),
    });
    const ownerId = readableOwner(viewer) ?? filter.ownerId ?? viewer.userId;
    const [{ fields, tags }, segments] = await Promise.all([
      this.offered(viewer, ownerId),
      this.segments.choices(ownerId),
    ]);
    const columns = chosenColumns(fields, this.columnNames(reader, request, response));
    return page((t) => t.clients.title, <ClientsPage {...{ clients, sorted, columns, fields, tags, segments }} />);
  }

  @Get('export.csv')
  async csv(@CurrentViewer() viewer: Viewer, @Ask() query: FormValues): Promise<StreamableFile> {
    return csvFile(this.clients.exportCsv(viewer, filterOf(query)), 'clients.csv');
  }

  @Get('new')
  blank(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    return this.form(viewer, opened(reader, {}));
  }

  @Post('new')
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => redirect(`/clients/${(await this.clients.create(viewer, clientInput(form))).id}`, 'saved'),
      (state) => this.form(viewer, state),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const client = await this.clients.get(viewer, id);
    const mayChange = mayChangeOf(viewer, client.ownerId);
    const [timeline, { fields }] = await Promise.all([
      this.parts.timeline(viewer, client, cursor),
      this.offered(viewer, client.ownerId),
    ]);
    return page(() => client.fullName || client.email, <ClientPage {...{ client, fields, timeline, mayChange }} />);
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const client = await this.clients.get(viewer, id);
    return this.form(viewer, opened(reader, clientForm(client), client.version), client);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    let client = await this.clients.get(viewer, id);
    return submit(
      reader,
      form,
      async () => {
        await this.clients.update(viewer, id, { ...clientInput(form), ...versionOf(form) });
        return redirect(`/clients/${id}`, 'saved');
      },
      (state) => this.form(viewer, state, client),
      async () => {
        client = await this.clients.get(viewer, id);
        return { values: clientForm(client), version: client.version };
      },
    );
  }

  @Post(':id/confirm')
  async confirm(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.clients.update(viewer, id, { confirmed: true });
    return redirect(`/clients/${id}`, 'saved');
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.clients.delete(viewer, id);
    return redirect('/clients', 'deleted');
  }

  private async form(viewer: Viewer, form: FormState, client?: ClientView): Promise<WebAnswer> {
    const offered = await this.offered(viewer, client?.ownerId ?? viewer.userId);
    return page(
      (t) => (client ? t.clients.edit : t.clients.new),
      <ClientFormPage form={form} {...(client && { client })} {...offered} />,
    );
  }

  /** What an owner's clients may be given. */
  private async offered(viewer: Viewer, ownerId: number) {
    const [fields, tags] = await Promise.all([this.fields.of(viewer, ownerId), this.tags.of(viewer, ownerId)]);
    return { fields: fields.filter(isOffered), tags: tags.map(({ name }) => name) };
  }

  /** The columns that were asked for, which the browser keeps, or those that it has kept; null: nobody has chosen. */
  private columnNames({ query }: Reader, request: Request, response: Response): string[] | null {
    const asked = query.getAll('columns');
    if (asked.length === 0) return cookieOf(request, this.config, 'gonets_columns')?.split(',') ?? null;
    const names = asked.join(',').slice(0, 3_000);
    setCookie(response, this.config, 'gonets_columns', names, new Date(Date.now() + COLUMNS_KEPT_MS));
    return names.split(',');
  }
}

function filterOf(query: FormValues): ClientFilter {
  const ownerId = wholeNumber(query.ownerId);
  return { ...clientFilter(query), ...(ownerId && { ownerId }) };
}
