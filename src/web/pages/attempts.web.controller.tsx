import { Get } from '@nestjs/common';
import { absent } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { dayIn } from '../../domain/time-zone';
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
    const first = dayIn(ask.from ?? '', reader.timeZone);
    const last = dayIn(ask.to ?? '', reader.timeZone);
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
        ...(first && { from: first.from }),
        ...(last && { to: last.to }),
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
