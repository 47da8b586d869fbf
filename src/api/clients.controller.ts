import { Body, Delete, Get, HttpCode, Patch, Post, Query, StreamableFile } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Page } from '../domain/paging';
import type { Viewer } from '../domain/permissions';
import { suppressionReasons, suppressionScopes } from '../domain/suppression';
import type { ClientView } from '../features/clients/client-view';
import { clientSorts, ClientsService } from '../features/clients/clients.service';
import { DeliveriesService, type DeliveryView } from '../features/runs/deliveries.service';
import { QueryId } from './dto/id.dto';
import { PageDto, SearchDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { DeliveryAnswer, deliveryAnswer } from './deliveries.controller';
import { csvFile } from '../http/csv-file';
import { CurrentViewer } from '../http/viewer';
import { Optional, PartialType } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation } from './openapi/operation';
import { id, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

class ClientDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ format: 'email' })
  email!: string;

  @IsString()
  @MaxLength(1_000)
  fullName!: string;

  @Optional()
  @IsString()
  comment?: string;
}

class ClientPatchDto extends PartialType(ClientDto) {}

class ClientQueryDto extends SearchDto {
  @IsOptional()
  @IsIn(clientSorts)
  sort?: (typeof clientSorts)[number];

  @QueryId()
  @Said({ description: 'Only those who belong to this segment.' })
  segmentId?: number;
}

class ClientSuppressionAnswer extends Shape({
  reason: oneOf(suppressionReasons),
  since: time,
  scope: said(
    "Whose letters it keeps back: everybody's, all of the owner, or those of one mailing.",
    oneOf(suppressionScopes),
  ),
  mailingId: said('Of the scope `mailing` only.', nullable(id)),
}) {}

class ClientAnswer extends Shape({
  id,
  ownerId: id,
  email: text,
  fullName: text,
  comment: text,
  suppression: said('Why the client gets no mail at present.', nullable(part(ClientSuppressionAnswer))),
  createdAt: time,
  updatedAt: time,
}) {}

const clientAnswer = ({ suppression, ...client }: ClientView) =>
  ClientAnswer.of({ ...client, suppression: suppression && ClientSuppressionAnswer.of(suppression) });

@ApiController('clients')
export class ClientsController {
  constructor(
    private readonly clients: ClientsService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Get()
  @Operation('Clients, newest first', pageOf(ClientAnswer), { conflicts: ['SEGMENT_TOO_SLOW'] })
  async list(@CurrentViewer() viewer: Viewer, @Query() query: ClientQueryDto) {
    const page = await this.clients.list(viewer, query);
    return { ...page, items: page.items.map(clientAnswer) };
  }

  @Post()
  @Operation('Add a client', ClientAnswer, { conflicts: ['EMAIL_TAKEN'] })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: ClientDto) {
    return clientAnswer(await this.clients.create(viewer, body));
  }

  @Get('export.csv')
  @Operation('All clients, or those that match, as CSV', CSV)
  async csv(@CurrentViewer() viewer: Viewer, @Query() { search, ownerId }: SearchDto): Promise<StreamableFile> {
    const filter = { ...(search !== undefined && { search }), ...(ownerId !== undefined && { ownerId }) };
    return csvFile(this.clients.exportCsv(viewer, filter), 'clients.csv');
  }

  @Get(':id')
  @Operation('A client', ClientAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return clientAnswer(await this.clients.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change a client', ClientAnswer, { conflicts: ['EMAIL_TAKEN'] })
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientPatchDto) {
    return clientAnswer(await this.clients.update(viewer, id, body));
  }

  @Delete(':id')
  @Operation('Delete a client; the ledger of what they got stays', null)
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.clients.delete(viewer, id);
  }

  @Get(':id/deliveries')
  @Operation('What a client got, did not get, and why', pageOf(DeliveryAnswer))
  async listDeliveries(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    const page: Page<DeliveryView> = await this.deliveries.listOfClient(viewer, id, query);
    // A deleted client still has deliveries; for the id of another owner's client there are none, so 404.
    if (page.items.length === 0) await this.clients.get(viewer, id);
    return { ...page, items: page.items.map(deliveryAnswer) };
  }
}
