import { Get } from '@nestjs/common';
import { Temporal } from 'temporal-polyfill';
import { absent } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { attemptStatuses } from '../../domain/states';
import { instantOf } from '../../domain/time-zone';
import { ClientsService } from '../../features/clients/clients.service';
import { AttemptsService } from '../../features/ledger/attempts.service';
import { MailingsService } from '../../features/mailings/mailings.service';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { AttemptsPage } from './attempts.page';
import { nameOf } from './mailings.page';

/** The id of no client: filters everything out. */
const NOBODY = -1;

@WebController('attempts')
export class AttemptsWebController {
  constructor(
    private readonly attempts: AttemptsService,
    private readonly mailings: MailingsService,
    private readonly clients: ClientsService,
  ) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() ask: FormValues,
  ): Promise<WebAnswer> {
    const status = oneOf(attemptStatuses, ask.status);
    const mailingId = wholeNumber(ask.mailingId);
    const deliveryId = wholeNumber(ask.deliveryId);
    const ownerId = wholeNumber(ask.ownerId);
    const byId = wholeNumber(ask.clientId);
    const client = byId ? await this.clients.get(viewer, byId).catch(absent) : null;
    const clientId = ask.client?.trim() ? await this.clientOf(viewer, ask.client) : byId;
    const from = dayStart(ask.from, reader.timeZone, 0);
    const to = dayStart(ask.to, reader.timeZone, 1);
    const [attempts, mailings] = await Promise.all([
      this.attempts.list(viewer, {
        limit: 50,
        ...(status && { status }),
        ...(mailingId && { mailingId }),
        ...(deliveryId && { deliveryId }),
        ...(ownerId && { ownerId }),
        ...(clientId && { clientId }),
        ...(from && { from }),
        ...(to && { to }),
        ...(ask.cursor && { cursor: ask.cursor }),
      }),
      this.mailings.list(viewer, { limit: 100 }),
    ]);
    const choices = mailings.items.map((m) => ({ id: m.id, name: nameOf(m, reader.t.mailings.nameless) }));
    return page(
      (t) => t.attempts.title,
      <AttemptsPage attempts={attempts} mailings={choices} clientEmail={client?.email ?? null} />,
    );
  }

  private async clientOf(viewer: Viewer, email: string): Promise<number> {
    const { items } = await this.clients.list(viewer, { limit: 1, search: email.trim() });
    return items[0]?.id ?? NOBODY;
  }
}

/**
 * When the day of the reader's calendar begins that is `plus` days after the given one; undefined if the text is not a
 * day.
 */
function dayStart(text: string | undefined, timeZone: string, plus: number): Date | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text))) return undefined;
  return new Date(instantOf(Temporal.PlainDate.from(text).add({ days: plus }).toPlainDateTime(), timeZone));
}
