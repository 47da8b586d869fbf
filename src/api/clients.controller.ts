import { Body, Delete, Get, HttpCode, Patch, Post, Query, StreamableFile } from '@nestjs/common';
import { IntersectionType } from '@nestjs/swagger';
import { IsArray, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Page } from '../domain/paging';
import type { Viewer } from '../domain/permissions';
import { type SubscriptionStatus, subscriptionStatuses } from '../domain/subscription';
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
import { IfMatch, since, TakesIfMatch, version, VersionDto } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation } from './openapi/operation';
import { details, id, listOf, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

class ClientDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ format: 'email' })
  email!: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @Optional()
  @IsString()
  comment?: string;

  @Optional()
  @IsObject()
  @Said({
    description:
      "Values of the owner's fields, by key: a text, a number, true or false, a day as `2027-03-14`. " +
      'Fields that are not named keep their values; null takes one away.',
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  })
  fields?: Record<string, unknown>;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The names of all tags that the client is to have, at most 50; new ones are made.' })
  tags?: string[];
}

class ClientPatchDto extends IntersectionType(PartialType(ClientDto), VersionDto) {
  @Optional()
  @IsIn([true])
  @Said({
    type: 'boolean',
    enum: [true],
    description:
      'You vouch for an address that came by a sign-up form and was not confirmed: the client gets your mailings. ' +
      'There is no way back.',
  })
  confirmed?: true;
}

class ClientFilterDto extends SearchDto {
  @IsOptional()
  @IsIn(['all'])
  @Said({ description: 'Comments and fields are searched, too, which takes seconds at a million clients.' })
  searchIn?: 'all';

  @IsOptional()
  @IsString()
  @MaxLength(200)
  @Said({ description: 'Only clients with this tag: its name or, if there is no tag of this name, its id.' })
  tag?: string;

  @IsOptional()
  @IsIn(subscriptionStatuses)
  subscription?: SubscriptionStatus;

  @QueryId()
  @Said({ description: 'Only those who belong to this segment.' })
  segmentId?: number;
}

class ClientQueryDto extends ClientFilterDto {
  @IsOptional()
  @IsIn(clientSorts)
  sort?: (typeof clientSorts)[number];
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

class SubscriptionAnswer extends Shape({
  status: oneOf(subscriptionStatuses),
  since: said('Null for those who are subscribed.', nullable(time)),
  reason: nullable(oneOf(suppressionReasons)),
}) {}

class ClientAnswer extends Shape({
  id,
  version,
  ownerId: id,
  email: text,
  fullName: text,
  comment: text,
  fields: said('By key; a field without a value is absent.', details),
  tags: listOf(text),
  subscription: said("Whether the client gets the owner's mailings.", part(SubscriptionAnswer)),
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
  @Operation('Clients, newest first', pageOf(ClientAnswer), { conflicts: ['SEARCH_TOO_SLOW', 'SEGMENT_TOO_SLOW'] })
  async list(@CurrentViewer() viewer: Viewer, @Query() query: ClientQueryDto) {
    const page = await this.clients.list(viewer, query);
    return { ...page, items: page.items.map(clientAnswer) };
  }

  @Post()
  @Operation('Add a client, or confirm one who only signed up', ClientAnswer, {
    conflicts: ['EMAIL_TAKEN', 'TAGS_FULL'],
  })
  async create(@CurrentViewer() viewer: Viewer, @Body() body: ClientDto) {
    return clientAnswer(await this.clients.create(viewer, body));
  }

  @Get('export.csv')
  @Operation('All clients, or those that match, as CSV', CSV)
  async csv(@CurrentViewer() viewer: Viewer, @Query() filter: ClientFilterDto): Promise<StreamableFile> {
    return csvFile(this.clients.exportCsv(viewer, filter), 'clients.csv');
  }

  @Get(':id')
  @Operation('A client', ClientAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return clientAnswer(await this.clients.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change a client', ClientAnswer, { conflicts: ['EMAIL_TAKEN', 'TAGS_FULL', 'CHANGED_MEANWHILE'] })
  @TakesIfMatch()
  async update(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: ClientPatchDto,
    @IfMatch() header?: number,
  ) {
    return clientAnswer(await this.clients.update(viewer, id, since(body, header)));
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
