import { Get, Post } from '@nestjs/common';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { mailingStatuses } from '../../domain/states';
import { wallClock } from '../../domain/time-zone';
import { audiences, takes } from '../../features/audiences/audiences';
import { SegmentsService } from '../../features/audiences/segments.service';
import { ClientsService } from '../../features/clients/clients.service';
import { type MailingView, MailingsService } from '../../features/mailings/mailings.service';
import { MessagesService } from '../../features/messages/messages.service';
import { OutcomesService } from '../../features/runs/outcomes.service';
import { MailingEditService } from '../../features/scheduling/mailing-edit.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { Id } from '../../http/id.pipe';
import { MANY_IDS_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { emptyForm, type FormState, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { addressesIn, mailingInput, occurrencesOf, valuesOf } from '../mailing-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { MailingFormPage, OccurrenceList } from './mailing-form.page';
import { FoundClients, RecipientCount } from './mailing-recipients';
import { MailingsPage } from './mailings.page';

/** How long recipients may be counted, in milliseconds: while a page is waited for, and when a script asks. */
const [AT_ONCE_MS, PATIENT_MS] = [300, 5_000];

/** The list of mailings, and the form that makes and changes them. */
@WebController('mailings')
@TakesBodies(MANY_IDS_BYTES)
export class MailingsWebController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly editing: MailingEditService,
    private readonly messages: MessagesService,
    private readonly clients: ClientsService,
    private readonly statistics: StatisticsService,
    private readonly segments: SegmentsService,
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

  @Get('new')
  async blank(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() { messageId, segmentId }: FormValues,
  ): Promise<WebAnswer> {
    const soon = wallClock(reader.now, reader.timeZone).round({ smallestUnit: 'hour', roundingMode: 'ceil' });
    const values = {
      period: 'once',
      audience: segmentId ? 'segment' : 'all',
      onUnknown: 'resend',
      kind: 'marketing',
      language: reader.language,
      timeZone: reader.timeZone,
      startAt: soon.toString({ smallestUnit: 'minute' }),
      ...(messageId && { messageId }),
      ...(segmentId && { segmentId }),
    };
    return this.form(viewer, reader, emptyForm(values));
  }

  @Post('new')
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const input = mailingInput(form);
        const clientIds = takes(input.audience, 'clientIds') ? await this.clientIds(viewer, form) : undefined;
        const made = await this.mailings.create(viewer, { ...input, ...(clientIds && { clientIds }) });
        await this.statistics.forget(viewer);
        return redirect(`/mailings/${made.id}`, 'saved');
      },
      (state) => this.form(viewer, reader, state),
    );
  }

  /** The next occurrences of a form that is being filled in. */
  @Get('schedule')
  schedule(@CurrentReader() reader: Reader, @Ask() values: FormValues): WebAnswer {
    return fragment(<OccurrenceList {...occurrencesOf(values, reader)} />);
  }

  /** How many a form's audience is, if a segment says so. */
  @Get('recipients')
  async recipients(@CurrentViewer() viewer: Viewer, @Ask() values: FormValues): Promise<WebAnswer> {
    const id = wholeNumber(values.mailingId);
    const mailing = id ? await this.mailings.get(viewer, id) : undefined;
    return fragment(<RecipientCount n={await this.count(viewer, values, PATIENT_MS, mailing)} />);
  }

  @Get('clients')
  async find(@CurrentViewer() viewer: Viewer, @Ask() { findClient }: FormValues): Promise<WebAnswer> {
    const found = findClient?.trim()
      ? await this.clients.list(viewer, { limit: 8, search: findClient, ownerId: viewer.userId })
      : { items: [] };
    return fragment(findClient?.trim() ? <FoundClients clients={found.items} /> : <></>);
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    return this.form(viewer, reader, emptyForm(valuesOf(mailing)), mailing);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    return submit(
      reader,
      form,
      async () => {
        const input = mailingInput(form, mailing);
        const selects = takes(input.audience, 'clientIds') && form.clientIds?.trim();
        const added = selects ? await this.clientIds(viewer, form) : [];
        await this.editing.update(viewer, id, input);
        if (added.length > 0) await this.mailings.addClients(viewer, id, added);
        await this.statistics.forget(viewer);
        return redirect(`/mailings/${id}`, 'saved');
      },
      (state) => this.form(viewer, reader, state, mailing),
    );
  }

  private async form(viewer: Viewer, reader: Reader, form: FormState, mailing?: MailingView): Promise<WebAnswer> {
    const ownerId = mailing?.ownerId ?? viewer.userId;
    const [messages, clients, segments, recipients] = await Promise.all([
      this.messages.list(viewer, { limit: 200, ownerId }),
      this.clients.list(viewer, { limit: 1, withTotal: true, ownerId }),
      this.segments.choices(ownerId),
      this.count(viewer, form.values, AT_ONCE_MS, mailing),
    ]);
    const choices = messages.items.map(({ id, subject }) => ({ id, subject }));
    if (mailing?.messageId && !choices.some(({ id }) => id === mailing.messageId)) {
      choices.push({ id: mailing.messageId, subject: mailing.messageSubject ?? '' });
    }
    const body = (
      <MailingFormPage
        form={form}
        messages={choices}
        occurrences={occurrencesOf(form.values, reader)}
        totalClients={clients.total ?? 0}
        segments={segments}
        recipients={recipients}
        {...(mailing && { mailing })}
      />
    );
    return page((t) => (mailing ? t.mailings.edit : t.mailings.new), body);
  }

  private count(viewer: Viewer, values: FormValues, ms: number, mailing?: MailingView): Promise<number | null> {
    const audience = oneOf(audiences, values.audience);
    if (!audience) return Promise.resolve(null);
    const segmentId = takes(audience, 'segmentId') ? (wholeNumber(values.segmentId) ?? null) : null;
    const asked = {
      id: mailing?.id ?? 0,
      audience,
      segmentId,
      excludeSegmentId: wholeNumber(values.excludeSegmentId) ?? null,
    };
    return this.mailings.recipientsOf(viewer, asked, ms, mailing?.ownerId);
  }

  /** The clients of the addresses in the text area. @throws ValidationError naming those that are no clients */
  private async clientIds(viewer: Viewer, form: FormValues): Promise<number[]> {
    const emails = addressesIn(form.clientIds ?? '');
    if (emails.length === 0) return [];
    const found = await this.clients.idsByEmail(viewer, emails);
    const missing = emails.filter((email) => !found.has(email));
    if (missing.length > 0)
      throw invalid('clientIds', problem('unknown_addresses', { count: missing.length, shown: missing.slice(0, 5) }));
    return [...found.values()];
  }
}
