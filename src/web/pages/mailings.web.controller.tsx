import { Get } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { mailingStatuses } from '../../domain/states';
import { MailingsService } from '../../features/mailings/mailings.service';
import { OutcomesService } from '../../features/runs/outcomes.service';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { MailingsPage } from './mailings.page';

/** The list of mailings. */
@WebController('mailings')
export class MailingsWebController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly outcomes: OutcomesService,
  ) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @Ask() { search, status, cursor, ownerId }: FormValues,
  ): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const chosen = oneOf(mailingStatuses, status);
    const mailings = await this.mailings.list(viewer, {
      limit: 25,
      withTotal: true,
      ...(owner && { ownerId: owner }),
      ...(search && { search }),
      ...(chosen && { status: chosen }),
      ...(cursor && { cursor }),
    });
    const outcomes = await this.outcomes.of(
      viewer,
      mailings.items.map(({ id }) => id),
    );
    return page((t) => t.mailings.title, <MailingsPage mailings={mailings} outcomes={outcomes} />);
  }
}
