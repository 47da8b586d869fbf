import { Get, Query, type StreamableFile } from '@nestjs/common';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { deliverabilityLevels, mailProviders } from '../domain/mail-providers';
import type { Viewer } from '../domain/permissions';
import {
  DELIVERABILITY_DAYS,
  type DeliverabilityQuery,
  DeliverabilityService,
} from '../features/statistics/deliverability.service';
import { UsersService } from '../features/users/users.service';
import { reportFile } from '../http/csv-file';
import { CurrentViewer } from '../http/viewer';
import { FromDigits, QueryId } from './dto/id.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation } from './openapi/operation';
import { count, day, flag, listOf, nullable, oneOf, part, said, Shape, share, text, time } from './openapi/shape';

class DeliverabilityQueryDto {
  @FromDigits()
  @IsInt()
  @Min(1)
  @Max(DELIVERABILITY_DAYS.max)
  @Said({ description: 'So many days, with today.' })
  days: number = DELIVERABILITY_DAYS.default;

  @QueryId()
  ownerId?: number;

  @IsOptional()
  @IsString()
  @Said({ description: "An IANA zone: whose days; the account's if absent." })
  timeZone?: string;
}

const counts = {
  sent: said('Letters that were taken.', count),
  refused: said('Answers that refused a letter for good (5xx).', count),
  deferred: said('Answers that refused one for now (4xx); it is tried again.', count),
  bounced: said('Became known in these days, also of letters that were sent before; so do the two that follow.', count),
  softBounced: count,
  complained: count,
};
const rates = {
  refusedRate: said('Of all that were taken or refused for good; null if there were none.', nullable(share)),
  bounceRate: said('Of those that were taken.', nullable(share)),
  complaintRate: nullable(share),
  refusedLevel: said('`watch` above 2 %.', oneOf(deliverabilityLevels)),
  bounceLevel: said('`watch` above 2 %.', oneOf(deliverabilityLevels)),
  complaintLevel: said('`watch` from 0.1 %, `bad` from 0.3 %.', oneOf(deliverabilityLevels)),
};

class DeliverabilityTotalAnswer extends Shape({ ...counts, ...rates }) {}
class DeliverabilityProviderAnswer extends Shape({
  provider: oneOf(mailProviders),
  tellsComplaints: said('Whether it tells senders which letters people complained of.', flag),
  ...counts,
  ...rates,
}) {}
class DeliverabilityDayAnswer extends Shape({ day, ...counts }) {}

class DeliverabilityAnswer extends Shape({
  from: day,
  to: day,
  timeZone: text,
  countedUntil: said('What happened until then is counted; null: nothing was counted yet.', nullable(time)),
  waitingDomains: said('Domains not looked up yet; what goes to them stands at `other`.', count),
  total: part(DeliverabilityTotalAnswer),
  providers: said('Those with letters, the most first.', listOf(part(DeliverabilityProviderAnswer))),
  items: said('Every day, oldest first, also empty ones.', listOf(part(DeliverabilityDayAnswer))),
}) {}

@ApiController('deliverability')
export class DeliverabilityController {
  constructor(
    private readonly deliverability: DeliverabilityService,
    private readonly users: UsersService,
  ) {}

  @Get()
  @Operation(
    'How letters fare at the providers of mailboxes: taken, refused, bounced, complained of',
    DeliverabilityAnswer,
  )
  async report(@CurrentViewer() viewer: Viewer, @Query() query: DeliverabilityQueryDto): Promise<DeliverabilityAnswer> {
    return this.deliverability.report(viewer, await this.complete(viewer, query));
  }

  @Get('providers.csv')
  @Operation('The providers of the same as CSV', CSV)
  async csv(@CurrentViewer() viewer: Viewer, @Query() query: DeliverabilityQueryDto): Promise<StreamableFile> {
    return reportFile(await this.deliverability.csv(viewer, await this.complete(viewer, query)), 'providers');
  }

  private async complete(viewer: Viewer, query: DeliverabilityQueryDto): Promise<DeliverabilityQuery> {
    return { ...query, timeZone: query.timeZone ?? (await this.users.byId(viewer.userId)).timeZone };
  }
}
