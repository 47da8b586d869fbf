import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Viewer } from '../domain/permissions';
import { DeliveriesService, type DeliveryView } from '../features/deliveries/deliveries.service';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

export const deliveryAnswer = (d: DeliveryView) => ({
  id: d.id,
  runId: d.runId,
  mailingId: d.mailingId,
  client: { id: d.clientId, email: d.email, fullName: d.fullName },
  status: d.status,
  reason: d.reason,
  tries: d.attempts,
  nextAttemptAt: d.nextAttemptAt,
  lastResponse: d.lastResponse,
  markedBy: d.markedBy,
  updatedAt: d.updatedAt,
});

@ApiTags('deliveries')
@ApiBearerAuth()
@Controller('deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  /** An unknown delivery is sent once more. */
  @Post(':id/resend')
  @HttpCode(200)
  async resend(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return deliveryAnswer(await this.deliveries.resend(viewer, id));
  }

  /** An unknown delivery is declared sent. */
  @Post(':id/mark-sent')
  @HttpCode(200)
  async markSent(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return deliveryAnswer(await this.deliveries.markSent(viewer, id));
  }
}
