import { Injectable } from '@nestjs/common';
import { absent, invalid, ValidationError } from '../../domain/errors';
import { type Language, languages } from '../../domain/language';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { mailingKinds } from '../../domain/suppression';
import { audiences, takes } from '../../features/audiences/audiences';
import { SegmentsService } from '../../features/audiences/segments.service';
import { ClientsService } from '../../features/clients/clients.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import { MessagesService } from '../../features/messages/messages.service';
import { type DraftCheck, PreflightService } from '../../features/scheduling/preflight.service';
import type { FormState } from '../form-state';
import { addressesIn } from '../mailing-form';
import { type FormValues, oneOf, wholeNumber } from '../web-controller';

/** How many messages are offered, each with its letter; others are found by a search. */
const OFFERED = 12;

export interface MessageChoice {
  id: number;
  name: string;
  subject: string;
}

/** What a mailing's form says about those to whom it would go. */
export interface FormCheck extends DraftCheck {
  /** Addresses that are no clients of the owner. */
  unknown: number;
  hasMessage: boolean;
  /** Whether the segment is chosen, if it goes to one. */
  hasSegment: boolean;
}

/** What the form of a mailing shows beside what was typed, read from several services. */
@Injectable()
export class MailingFormParts {
  constructor(
    private readonly messages: MessagesService,
    private readonly clients: ClientsService,
    private readonly segments: SegmentsService,
    private readonly preflight: PreflightService,
  ) {}

  /**
   * With the newest message chosen, if none is.
   * @param ms how long each part of the audience may be counted
   */
  async of(viewer: Viewer, state: FormState, ms: number, language: Language, mailing?: MailingView) {
    const ownerId = mailing?.ownerId ?? viewer.userId;
    const messages = await this.messageChoices(viewer, state.values, mailing);
    const messageId = state.values.messageId || String(messages[0]?.id ?? '');
    const form = { ...state, values: { ...state.values, messageId } };
    const [clients, segments, check] = await Promise.all([
      this.clients.list(viewer, { limit: 1, withTotal: true, ownerId }),
      this.segments.choices(ownerId),
      this.check(viewer, form.values, ms, language, mailing),
    ]);
    return { form, messages, totalClients: clients.total ?? 0, segments, check };
  }

  /** The newest messages that a search finds, and always the one that is chosen. */
  async messageChoices(viewer: Viewer, values: FormValues, mailing?: MailingView): Promise<MessageChoice[]> {
    const ownerId = mailing?.ownerId ?? viewer.userId;
    const search = values.findMessage?.trim();
    const { items } = await this.messages.list(viewer, { limit: OFFERED, ownerId, ...(search && { search }) });
    const chosen = wholeNumber(values.messageId);
    if (!chosen || items.some(({ id }) => id === chosen)) return items;
    const message = await this.messages.get(viewer, chosen).catch(absent);
    return message?.ownerId === ownerId ? [message, ...items] : items;
  }

  /** To whom it would go, who of them gets nothing, and what would keep it from being sent; null without an audience. */
  async check(
    viewer: Viewer,
    values: FormValues,
    ms: number,
    language: Language,
    mailing?: MailingView,
  ): Promise<FormCheck | null> {
    const audience = oneOf(audiences, values.audience);
    if (!audience) return null;
    const ownerId = mailing?.ownerId ?? viewer.userId;
    const messageId = wholeNumber(values.messageId);
    const message = messageId ? await this.messages.get(viewer, messageId).catch(absent) : null;
    const hasMessage = message?.ownerId === ownerId;
    const takesSegment = takes(audience, 'segmentId');
    const segmentId = takesSegment ? (wholeNumber(values.segmentId) ?? null) : null;
    const addresses = takes(audience, 'clientIds') ? addressesOf(values.clientIds ?? '') : [];
    const found = await this.clients.idsByEmail(viewer, addresses);
    const draft = await this.preflight.ofDraft(
      {
        id: takes(audience, 'clientIds') && mailing?.audience === audience ? mailing.id : 0,
        ownerId,
        audience,
        segmentId,
        excludeSegmentId: wholeNumber(values.excludeSegmentId) ?? null,
        kind: oneOf(mailingKinds, values.kind) ?? 'marketing',
        language: oneOf(languages, values.language) ?? language,
        messageId: hasMessage ? message.id : null,
        clientIds: [...found.values()],
      },
      ms,
    );
    const hasSegment = !takesSegment || segmentId !== null;
    return { ...draft, unknown: addresses.length - found.size, hasMessage, hasSegment };
  }

  /** The clients of the addresses in the text area. @throws ValidationError naming those that are no clients */
  async clientIds(viewer: Viewer, form: FormValues): Promise<number[]> {
    const emails = addressesIn(form.clientIds ?? '');
    if (emails.length === 0) return [];
    const found = await this.clients.idsByEmail(viewer, emails);
    const missing = emails.filter((email) => !found.has(email));
    if (missing.length > 0)
      throw invalid('clientIds', problem('unknown_addresses', { count: missing.length, shown: missing.slice(0, 5) }));
    return [...found.values()];
  }

  /** The first clients that a search finds. */
  async found(viewer: Viewer, search: string | undefined) {
    if (!search?.trim()) return null;
    return (await this.clients.list(viewer, { limit: 8, search, ownerId: viewer.userId })).items;
  }
}

/** Too many addresses are said when the form is sent. */
function addressesOf(text: string): string[] {
  try {
    return addressesIn(text);
  } catch (error) {
    if (error instanceof ValidationError) return [];
    throw error;
  }
}
