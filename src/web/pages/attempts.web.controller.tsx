import { Get } from '@nestjs/common';
import { Temporal } from 'temporal-polyfill';
import { absent } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { instantOf } from '../../domain/time-zone';
import { ClientsService } from '../../features/clients/clients.service';
import { MailingsService } from '../../features/mailings/mailings.service';
import { AttemptSearchService } from '../../features/runs/attempt-search.service';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { attemptFilters, AttemptsPage, SEARCH_MAX } from './attempts.page';

@WebController('attempts')
export class AttemptsWebController {
  constructor(
    private readonly attempts: AttemptSearchService,
    private readonly mailings: MailingsService,
    private readonly clients: ClientsService,
  ) {}

  @Get()
  async list(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() ask: FormValues,
  ): Promise<WebAnswer> {
    const filter = oneOf(attemptFilters, ask.status);
    const deliveryId = wholeNumber(ask.deliveryId);
    const ownerId = wholeNumber(ask.ownerId);
    // What was typed counts, and not what the address named before.
    const clientId = ask.client === undefined ? wholeNumber(ask.clientId) : undefined;
    const mailingId = ask.mailing === undefined ? wholeNumber(ask.mailingId) : undefined;
    const from = dayStart(ask.from, reader.timeZone, 0);
    const to = dayStart(ask.to, reader.timeZone, 1);
    const [attempts, client, mailing] = await Promise.all([
      this.attempts.find(viewer, {
        limit: 50,
        ...(filter === 'final' ? { final: true } : filter && { status: filter }),
        ...(ask.client && { client: ask.client.slice(0, SEARCH_MAX) }),
        ...(ask.mailing && { mailing: ask.mailing.slice(0, SEARCH_MAX) }),
        ...(mailingId && { mailingId }),
        ...(deliveryId && { deliveryId }),
        ...(ownerId && { ownerId }),
        ...(clientId && { clientId }),
        ...(from && { from }),
        ...(to && { to }),
        ...(ask.cursor && { cursor: ask.cursor }),
      }),
      clientId ? this.clients.get(viewer, clientId).catch(absent) : null,
      mailingId ? this.mailings.get(viewer, mailingId).catch(absent) : null,
    ]);
    const named = {
      client: client?.email ?? '',
      mailing: mailing ? mailing.name || (mailing.messageSubject ?? '') : '',
    };
    return page((t) => t.attempts.title, <AttemptsPage attempts={attempts} named={named} />);
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
