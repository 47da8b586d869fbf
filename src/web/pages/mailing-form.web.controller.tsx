import { Get, HttpCode, Post } from '@nestjs/common';
import { DomainError, invalid, NotFoundError, ValidationError } from '../../domain/errors';
import { formPage } from '../../domain/form-pages';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { wallClock } from '../../domain/time-zone';
import { takes } from '../../features/audiences/audiences';
import { type MailingView, MailingsService } from '../../features/mailings/mailings.service';
import { TestNoticesService } from '../../features/messages/test-notices.service';
import { LifecycleService } from '../../features/scheduling/lifecycle.service';
import { MailingEditService } from '../../features/scheduling/mailing-edit.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { Id } from '../../http/id.pipe';
import { MANY_IDS_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { emptyForm, type FormState, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { opened, versionOf } from '../kept-form';
import { KeptForms } from '../kept-forms.service';
import { mailingInput, occurrencesOf, valuesOf } from '../mailing-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { MailingFormPage, OccurrenceList } from './mailing-form.page';
import { LetterLook, MessageChoices } from './message-pick';
import { MailingFormParts } from './mailing-form-parts.service';
import { FormFindings, FoundClients, RecipientCheck } from './mailing-recipients';

/** How long recipients may be counted, in milliseconds: while a page is waited for, and when a script asks. */
const [AT_ONCE_MS, PATIENT_MS] = [300, 5_000];

/** The form that makes and changes mailings. */
@WebController('mailings')
@TakesBodies(MANY_IDS_BYTES)
export class MailingFormWebController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly editing: MailingEditService,
    private readonly lifecycle: LifecycleService,
    private readonly statistics: StatisticsService,
    private readonly parts: MailingFormParts,
    private readonly testNotices: TestNoticesService,
    private readonly kept: KeptForms,
  ) {}

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
    return this.form(viewer, reader, opened(reader, values));
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
        if (form.then === 'find') return this.form(viewer, reader, emptyForm(form));
        const input = mailingInput(form);
        const clientIds = takes(input.audience, 'clientIds') ? await this.parts.clientIds(viewer, form) : undefined;
        const made = await this.mailings.create(viewer, { ...input, ...(clientIds && { clientIds }) });
        return this.saved(viewer, reader, made, form);
      },
      (state) => this.form(viewer, reader, state),
    );
  }

  @Post('new/test')
  testOfNew(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Form() form: FormValues) {
    return this.sendTest(viewer, reader, form);
  }

  /** The next occurrences of a form that is being filled in. */
  @Get('schedule')
  schedule(@CurrentReader() reader: Reader, @Ask() values: FormValues): WebAnswer {
    return fragment(<OccurrenceList {...occurrencesOf(values, reader)} />);
  }

  /** To whom a form's mailing would go, and what would keep it from being sent. Changes nothing. */
  @Post('check')
  @HttpCode(200)
  async check(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() values: FormValues,
    @Ask() { mailingId }: FormValues,
  ): Promise<WebAnswer> {
    const mailing = await this.mailingOf(viewer, mailingId);
    const check = await this.parts.check(viewer, values, PATIENT_MS, reader.language, mailing);
    return fragment(
      <>
        <RecipientCheck check={check} />
        <FormFindings check={check} occurrences={occurrencesOf(values, reader)} ownerId={mailing?.ownerId} apart />
      </>,
    );
  }

  /** The messages that a search in the form finds. */
  @Get('messages')
  async findMessages(@CurrentViewer() viewer: Viewer, @Ask() values: FormValues): Promise<WebAnswer> {
    const mailing = await this.mailingOf(viewer, values.mailingId);
    const messages = await this.parts.messageChoices(viewer, values, mailing);
    return fragment(<MessageChoices form={emptyForm(values)} messages={messages} />);
  }

  /** The letter of the message that is chosen in the form on the page before. */
  @Get('letter')
  async letter(@CurrentViewer() viewer: Viewer, @Ask() { messageId, mailingId }: FormValues): Promise<WebAnswer> {
    const id = wholeNumber(messageId);
    const message = id ? await this.parts.message(viewer, id) : undefined;
    return fragment(<LetterLook message={message} at={formOf(wholeNumber(mailingId))} />);
  }

  @Get('clients')
  async find(@CurrentViewer() viewer: Viewer, @Ask() { findClient }: FormValues): Promise<WebAnswer> {
    const found = await this.parts.found(viewer, findClient);
    return fragment(found ? <FoundClients clients={found} /> : <></>);
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    return this.form(viewer, reader, opened(reader, valuesOf(mailing), mailing.version), mailing);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    let mailing = await this.mailings.get(viewer, id);
    return submit(
      reader,
      form,
      async () => {
        if (form.then === 'find') return this.form(viewer, reader, emptyForm(form), mailing);
        const input = mailingInput(form, mailing);
        const selects = takes(input.audience, 'clientIds') && form.clientIds?.trim();
        const added = selects ? await this.parts.clientIds(viewer, form) : [];
        const changed = await this.editing.update(viewer, id, { ...input, ...versionOf(form) });
        if (added.length > 0) await this.mailings.addClients(viewer, id, added);
        return this.saved(viewer, reader, changed, form);
      },
      (state) => this.form(viewer, reader, state, mailing),
      async () => {
        mailing = await this.mailings.get(viewer, id);
        return { values: valuesOf(mailing), version: mailing.version };
      },
    );
  }

  @Post(':id/edit/test')
  async testOfEdited(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return this.sendTest(viewer, reader, form, await this.mailings.get(viewer, id));
  }

  /** Sends the letter of the chosen message to the reader. The form waits as a draft. */
  private sendTest(viewer: Viewer, reader: Reader, form: FormValues, mailing?: MailingView): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const messageId = wholeNumber(form.messageId);
        if (!messageId) throw invalid('messageId', problem('message_wanted'));
        await this.testNotices.send(viewer, messageId).catch(ofMessage(messageId));
        const at = formOf(mailing?.id);
        const waits = formPage(form.page) ?? at;
        await this.kept.keep(viewer, waits, form);
        return redirect(waits, 'testSent');
      },
      (state) => this.form(viewer, reader, state, mailing),
    );
  }

  /**
   * Schedules what was saved, if that was asked for. What would go out at once is not sent by this: its page asks first,
   * and says why a mailing can't be scheduled.
   */
  private async saved(viewer: Viewer, reader: Reader, mailing: MailingView, form: FormValues): Promise<WebAnswer> {
    const isAsked = form.then === 'schedule' && mailing.status === 'created' && mailing.startAt > reader.now;
    const isScheduled = isAsked && (await this.schedules(viewer, mailing.id));
    await this.statistics.forget(viewer);
    return redirect(`/mailings/${mailing.id}`, isScheduled ? 'started' : 'saved');
  }

  private async schedules(viewer: Viewer, id: number): Promise<boolean> {
    try {
      await this.lifecycle.start(viewer, id, undefined, { onlySchedules: true });
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.kind !== 'unavailable') return false;
      throw error;
    }
  }

  private async form(viewer: Viewer, reader: Reader, state: FormState, mailing?: MailingView): Promise<WebAnswer> {
    const { form, ...parts } = await this.parts.of(viewer, state, AT_ONCE_MS, reader.language, mailing);
    const occurrences = occurrencesOf(form.values, reader);
    return page(
      (t) => (mailing ? t.mailings.edit : t.mailings.new),
      <MailingFormPage {...{ form, occurrences, ...parts }} {...(mailing && { mailing })} />,
    );
  }

  private async mailingOf(viewer: Viewer, mailingId: string | undefined): Promise<MailingView | undefined> {
    const id = wholeNumber(mailingId);
    return id ? this.mailings.get(viewer, id) : undefined;
  }
}

/** For `catch`: the form has no field for what is wrong in a message but that by which the message is chosen. */
const ofMessage = (id: number) => (error: unknown) => {
  if (error instanceof NotFoundError) throw invalid('messageId', problem('unknown_message', { id }));
  if (!(error instanceof ValidationError)) throw error;
  throw new ValidationError((error.details.errors ?? []).map((found) => ({ ...found, field: 'messageId' })));
};

/** The page of a mailing's form. */
const formOf = (id: number | undefined): string => (id ? `/mailings/${id}/edit` : '/mailings/new');
