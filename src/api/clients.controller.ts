import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiTags, PartialType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Page } from '../domain/paging';
import type { Viewer } from '../domain/permissions';
import type { Client } from '../features/clients/client.entity';
import { clientSorts, ClientsService } from '../features/clients/clients.service';
import { DeliveriesService, type DeliveryView } from '../features/deliveries/deliveries.service';
import { Readable } from 'node:stream';
import { PageDto, SearchDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { deliveryAnswer } from './deliveries.controller';
import { CurrentViewer } from '../http/viewer';

class ClientDto {
  @IsString()
  @MaxLength(1_000)
  email!: string;

  @IsString()
  @MaxLength(1_000)
  fullName!: string;

  @IsOptional()
  @IsString()
  comment?: string;
}

class ClientPatchDto extends PartialType(ClientDto) {}

class ClientQueryDto extends SearchDto {
  @IsOptional()
  @IsIn(clientSorts, { message: `must be one of ${clientSorts.join(', ')}` })
  sort?: (typeof clientSorts)[number];
}

export const clientAnswer = ({ id, ownerId, email, fullName, comment, createdAt, updatedAt }: Client) => ({
  id,
  ownerId,
  email,
  fullName,
  comment,
  createdAt,
  updatedAt,
});

@ApiTags('clients')
@ApiBearerAuth()
@Controller('clients')
export class ClientsController {
  constructor(
    private readonly clients: ClientsService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Query() query: ClientQueryDto) {
    const page = await this.clients.list(viewer, query);
    return { ...page, items: page.items.map(clientAnswer) };
  }

  @Post()
  async create(@CurrentViewer() viewer: Viewer, @Body() body: ClientDto) {
    return clientAnswer(await this.clients.create(viewer, body));
  }

  /** All clients, or those that match, as CSV. */
  @Get('export.csv')
  csv(@CurrentViewer() viewer: Viewer, @Query() { search, ownerId }: SearchDto): StreamableFile {
    const filter = { ...(search !== undefined && { search }), ...(ownerId !== undefined && { ownerId }) };
    return new StreamableFile(Readable.from(this.clients.exportCsv(viewer, filter)), {
      disposition: 'attachment; filename="clients.csv"',
      type: 'text/csv; charset=utf-8',
    });
  }

  @Get(':id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return clientAnswer(await this.clients.get(viewer, id));
  }

  @Patch(':id')
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientPatchDto) {
    return clientAnswer(await this.clients.update(viewer, id, body));
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.clients.delete(viewer, id);
  }

  /** What this person got, did not get, and why. */
  @Get(':id/deliveries')
  async deliveriesOf(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    const page: Page<DeliveryView> = await this.deliveries.listOfClient(viewer, id, query);
    // The ledger of a deleted client is there still; for anybody else's id there is nothing.
    if (page.items.length === 0) await this.clients.get(viewer, id);
    return { ...page, items: page.items.map(deliveryAnswer) };
  }
}
