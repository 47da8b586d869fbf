import { Get, type StreamableFile } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { reach } from '../../domain/permissions';
import {
  DELIVERABILITY_DAYS,
  type DeliverabilityQuery,
  DeliverabilityService,
} from '../../features/statistics/deliverability.service';
import { UsersService } from '../../features/users/users.service';
import { reportFile } from '../../http/csv-file';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import type { Reader } from '../reader';
import { CurrentReader } from '../readers.service';
import { Ask, type FormValues, WebController, wholeNumber } from '../web-controller';
import { DeliverabilityPage } from './deliverability.page';

/** So many users a manager may choose from. */
const OWNERS = 100;

@WebController('deliverability')
export class DeliverabilityWebController {
  constructor(
    private readonly deliverability: DeliverabilityService,
    private readonly users: UsersService,
  ) {}

  @Get()
  async show(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() ask: FormValues,
  ): Promise<WebAnswer> {
    const query = asked(ask, reader);
    const mayChoose = reach(viewer, 'users.manage') !== 'none';
    const [report, owners] = await Promise.all([
      this.deliverability.report(viewer, query),
      mayChoose ? this.users.list(viewer, { limit: OWNERS }) : { items: [] },
    ]);
    return page(
      (t) => t.deliverability.title,
      <DeliverabilityPage report={report} days={query.days} owners={owners.items} />,
    );
  }

  @Get('providers.csv')
  async csv(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() ask: FormValues,
  ): Promise<StreamableFile> {
    return reportFile(await this.deliverability.csv(viewer, asked(ask, reader)), 'providers');
  }
}

function asked({ days, ownerId }: FormValues, { timeZone }: Reader): DeliverabilityQuery {
  const owner = wholeNumber(ownerId);
  const span = Math.min(wholeNumber(days) ?? DELIVERABILITY_DAYS.default, DELIVERABILITY_DAYS.max);
  return { days: span, timeZone, ...(owner !== undefined && { ownerId: owner }) };
}
