import { Get, Query } from '@nestjs/common';
import { IsIn, IsOptional } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { type DeliveryEvent, deliveryEvents } from '../domain/suppression';
import { EventsService } from '../features/ledger/events.service';
import { CurrentViewer } from '../http/viewer';
import { instant } from './dto/instant';
import { LedgerQueryDto } from './dto/list.dto';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class EventQueryDto extends LedgerQueryDto {
  @IsOptional()
  @IsIn(deliveryEvents)
  kind?: DeliveryEvent;
}

export class EventAnswer extends Shape({
  id,
  createdAt: time,
  deliveryId: id,
  runId: id,
  mailingId: id,
  mailingName: text,
  clientId: id,
  ownerId: id,
  email: said('The address that the letter went to.', text),
  kind: oneOf(deliveryEvents),
  source: said('How it became known.', text),
  enhancedCode: nullable(text),
  reply: said('What was said, as it came.', nullable(text)),
  reason: nullable(text),
}) {}

@ApiController('events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Get()
  @Operation('What became known about deliveries after they were sent, newest first', pageOf(EventAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() { from, to, ...query }: EventQueryDto) {
    const page = await this.events.list(viewer, { ...query, ...instant('from', from), ...instant('to', to) });
    return { ...page, items: page.items.map((event) => EventAnswer.of(event)) };
  }
}
