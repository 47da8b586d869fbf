import { Get, Post, StreamableFile } from '@nestjs/common';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { ClientHistory } from '../../features/clients/client-history.service';
import type { ClientView } from '../../features/clients/client-view';
import { clientSorts, ClientsService } from '../../features/clients/clients.service';
import { AttemptsService } from '../../features/ledger/attempts.service';
import { DeliveriesService } from '../../features/runs/deliveries.service';
import { Id } from '../../http/id.pipe';
import { csvFile } from '../../http/csv-file';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { ClientFormPage, ClientPage, ClientsPage } from './clients.page';

/** A client's fields in a form have the names that they have in the client. */
const clientInput = (form: FormValues) => ({ email: '', fullName: '', ...form });
const clientValues = (client: ClientView): FormValues =>
  Object.fromEntries(Object.entries(client).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));

@WebController('clients')
export class ClientsWebController {
  constructor(
    private readonly clients: ClientsService,
    private readonly deliveries: DeliveriesService,
    private readonly attempts: AttemptsService,
    private readonly history: ClientHistory,
  ) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @Ask() { search, sort, cursor, ownerId, segmentId }: FormValues,
  ): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const segment = wholeNumber(segmentId);
    const clients = await this.clients.list(viewer, {
      limit: 50,
      ...(owner && { ownerId: owner }),
      withTotal: !search && !segment,
      ...(segment && { segmentId: segment }),
      sort: oneOf(clientSorts, sort) ?? '-id',
      ...(search && { search }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.clients.title, <ClientsPage clients={clients} />);
  }

  @Get('export.csv')
  async csv(@CurrentViewer() viewer: Viewer, @Ask() { search, ownerId }: FormValues): Promise<StreamableFile> {
    const owner = wholeNumber(ownerId);
    const filter = { ...(search && { search }), ...(owner && { ownerId: owner }) };
    return csvFile(this.clients.exportCsv(viewer, filter), 'clients.csv');
  }

  @Get('new')
  blank(): WebAnswer {
    return page((t) => t.clients.new, <ClientFormPage form={emptyForm()} />);
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
      (state) => page((t) => t.clients.new, <ClientFormPage form={state} />),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const client = await this.clients.get(viewer, id);
    const [deliveries, attempts, history] = await Promise.all([
      this.deliveries.listOfClient(viewer, id, { limit: 25, ...(cursor && { cursor }) }),
      this.attempts.list(viewer, { clientId: id, limit: 20 }),
      this.history.of(viewer, client),
    ]);
    const owner = writableOwner(viewer);
    const mayChange = owner === null || owner === client.ownerId;
    return page(
      () => client.fullName,
      <ClientPage {...{ client, history, deliveries, mayChange }} attempts={attempts.items} />,
    );
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const client = await this.clients.get(viewer, id);
    return page((t) => t.clients.edit, <ClientFormPage form={emptyForm(clientValues(client))} client={client} />);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const client = await this.clients.get(viewer, id);
    return submit(
      reader,
      form,
      async () => {
        await this.clients.update(viewer, id, clientInput(form));
        return redirect(`/clients/${id}`, 'saved');
      },
      (state) => page((t) => t.clients.edit, <ClientFormPage form={state} client={client} />),
    );
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.clients.delete(viewer, id);
    return redirect('/clients', 'deleted');
  }
}
