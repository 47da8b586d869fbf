import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { parseMailbox } from '../../domain/mailbox';
import type { Viewer } from '../../domain/permissions';
import type { LetterData, RenderedContent } from '../../domain/template';
import { ClientsService } from '../clients/clients.service';
import { type MessageInput, MessagesService } from './messages.service';

const NOBODY = { fullName: 'Anna Example', email: 'anna@example.com', comment: '' };

/** Messages as their clients will see them: rendered as they are for sending. */
@Injectable()
export class PreviewService {
  constructor(
    private readonly messages: MessagesService,
    private readonly clients: ClientsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async ofMessage(viewer: Viewer, messageId: number, clientId?: number): Promise<RenderedContent> {
    return this.ofDraft(viewer, await this.messages.get(viewer, messageId), clientId);
  }

  /** @throws ValidationError if the draft does not compile */
  async ofDraft(viewer: Viewer, draft: MessageInput, clientId?: number): Promise<RenderedContent> {
    const client = clientId === undefined ? NOBODY : await this.clients.get(viewer, clientId);
    return this.messages.preview(draft, this.dataFor(client));
  }

  private dataFor(client: LetterData['client']): LetterData {
    const from = parseMailbox(this.config.mailFrom);
    return {
      client: { fullName: client.fullName, email: client.email, comment: client.comment },
      mailing: { name: '' },
      sender: { name: from?.name ?? '', email: from?.address ?? '' },
      date: new Date().toISOString(),
    };
  }
}
