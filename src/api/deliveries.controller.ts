import { Get, HttpCode, Post, Query } from '@nestjs/common';
import type { Viewer } from '../domain/permissions';
import { EventsService } from '../features/ledger/events.service';
import { DeliveriesService, type DeliveryView } from '../features/runs/deliveries.service';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';
import { deliveryStatuses } from '../domain/states';
import { deliveryEvents } from '../domain/suppression';
import { PageDto } from './dto/list.dto';
import { RecipientAnswer } from './dto/recipient.dto';
import { EventAnswer } from './events.controller';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { count, id, listOf, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

export class DeliveryAnswer extends Shape({
  id,
  runId: id,
  mailingId: id,
  client: part(RecipientAnswer),
  status: oneOf(deliveryStatuses),
  reason: nullable(text),
  events: said('What became known after it was sent; it changes no status.', listOf(oneOf(deliveryEvents))),
  tries: count,
  nextAttemptAt: nullable(time),
  lastResponse: nullable(text),
  markedBy: said('Who declared it sent; 0 is the operator on the command line.', nullable(count)),
  messageIdHeader: text,
  updatedAt: time,
}) {}

export const deliveryAnswer = ({ clientId, email, fullName, attempts, ...delivery }: DeliveryView) =>
  DeliveryAnswer.of({ ...delivery, client: { id: clientId, email, fullName }, tries: attempts });

@ApiController('deliveries')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly events: EventsService,
  ) {}

  @Get(':id/events')
  @Operation('What became known about a delivery after it was sent, newest first', pageOf(EventAnswer))
  async listEvents(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    const page = await this.events.ofDelivery(viewer, id, query);
    return { ...page, items: page.items.map((event) => EventAnswer.of(event)) };
  }

  @Post(':id/resend')
  @Operation('Send an unknown delivery once more', DeliveryAnswer, {
    conflicts: ['DELIVERY_NOT_UNKNOWN', 'DELIVERY_REPEATED', 'RUN_CLOSING', 'RUN_RESENDING', 'OWNER_BLOCKED'],
  })
  @HttpCode(200)
  async resend(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return deliveryAnswer(await this.deliveries.resend(viewer, id));
  }

  @Post(':id/mark-sent')
  @Operation('Declare an unknown delivery sent', DeliveryAnswer, { conflicts: ['DELIVERY_NOT_UNKNOWN'] })
  @HttpCode(200)
  async markSent(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return deliveryAnswer(await this.deliveries.markSent(viewer, id));
  }
}
