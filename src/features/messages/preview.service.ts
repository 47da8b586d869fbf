import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { CONFIG, type Config } from '../../config/config.module';
import { unsubscribeUrl } from '../../domain/address-token';
import { type FieldValues, SAMPLE_CLIENT, sampleValues } from '../../domain/client-fields';
import { reasonText } from '../../domain/footer';
import type { Language } from '../../domain/language';
import type { Viewer } from '../../domain/permissions';
import type { LetterData, RenderedContent } from '../../domain/template';
import { fieldsOf } from '../clients/field-definitions';
import { ClientsService } from '../clients/clients.service';
import { LinkKeys } from '../consent/link-keys.service';
import { SendersService } from '../consent/senders.service';
import { UsersService } from '../users/users.service';
import { type MessageInput, MessagesService } from './messages.service';

/**
 * Messages as their clients will see them: rendered as they are for sending by a marketing mailing, with the footer.
 * The link to unsubscribe leads to a page that says that it is a test.
 */
@Injectable()
export class PreviewService {
  constructor(
    private readonly database: Database,
    private readonly messages: MessagesService,
    private readonly clients: ClientsService,
    private readonly users: UsersService,
    private readonly senders: SendersService,
    private readonly keys: LinkKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async ofMessage(viewer: Viewer, messageId: number, clientId?: number): Promise<RenderedContent> {
    const { subject, body, bodyText, ownerId } = await this.messages.get(viewer, messageId);
    // The parts are made already.
    return this.ofDraft(viewer, { subject, body, bodyText }, { ...(clientId !== undefined && { clientId }), ownerId });
  }

  /**
   * @param ownerId whose message it is to be, and so who defined its fields; the viewer, if absent
   * @throws ValidationError if the draft does not compile
   */
  async ofDraft(
    viewer: Viewer,
    draft: MessageInput,
    { clientId, ownerId = viewer.userId }: { clientId?: number; ownerId?: number } = {},
  ): Promise<RenderedContent> {
    const fields = await fieldsOf(this.database, ownerId);
    const client =
      clientId === undefined
        ? { ...SAMPLE_CLIENT, fields: sampleValues(fields) }
        : await this.clients.get(viewer, clientId);
    const { language } = await this.users.byId(viewer.userId);
    const data = await this.dataFor(viewer, client, language);
    return this.messages.preview(draft, { data, language, fields: fields.map(({ key }) => key), ownerId });
  }

  private async dataFor(
    viewer: Viewer,
    { fullName, email, comment, fields }: typeof SAMPLE_CLIENT & { fields: FieldValues },
    language: Language,
  ): Promise<LetterData> {
    const sender = await this.senders.shown(viewer);
    const tokenOf = await this.keys.signer({ kind: 'test', ownerId: viewer.userId, mailingId: 0 });
    return {
      client: { ...fields, fullName, email, comment },
      mailing: { name: '' },
      sender: { name: sender.name, email: sender.email },
      date: new Date().toISOString(),
      unsubscribeUrl: unsubscribeUrl(this.config.publicUrl, tokenOf(0, email)),
      senderAddress: sender.postalAddress,
      footerText: sender.unsubscribeText || reasonText(language, sender.name || sender.email),
    };
  }
}
