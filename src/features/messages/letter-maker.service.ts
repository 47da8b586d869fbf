import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { invalid, ValidationError } from '../../domain/errors';
import { checkDocument } from '../../domain/letter-document/check';
import { picturePath } from '../../domain/letter-document/links';
import type { LetterDocument } from '../../domain/letter-document/schema';
import { documentToMjml } from '../../domain/letter-document/to-mjml';
import { documentToText } from '../../domain/letter-document/to-text';
import { problem } from '../../domain/problems';
import { compileContent } from '../../domain/template';
import { BODY_MAX } from '../../domain/template-parse';
import { LetterHtml } from '../../mjml/letter-html.service';
import { SendersService } from '../consent/senders.service';
import { SUBJECT_MAX } from './message-input';

/** A message whose parts are there, whatever it was written as. */
export interface MadeContent {
  body: string;
  bodyText: string | null;
  document: LetterDocument | null;
}

/** Makes HTML and text of documents, when messages are saved or looked at: letters find them made. */
@Injectable()
export class LetterMaker {
  constructor(
    private readonly html: LetterHtml,
    private readonly senders: SendersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param ownerId whose message it is
   * @param fields the keys of the owner's fields that it may name
   * @throws ValidationError for the subject, or naming the block, DomainError LETTER_NOT_MADE
   */
  async make(
    { subject, document }: { subject: string; document: unknown },
    ownerId: number,
    fields: string[],
  ): Promise<MadeContent> {
    // The letter's title is made of it, which takes time in the square of its length.
    if (subject.length > SUBJECT_MAX) throw invalid('subject', problem('too_long', { max: SUBJECT_MAX }));
    const checked = checkDocument(document, fields);
    if (!checked.ok) throw new ValidationError(checked.errors);
    const { preheader } = checked.document;
    checkPreheader(preheader, fields);
    const [sender, brand] = await Promise.all([this.senders.shown({ userId: ownerId }), this.senders.brand(ownerId)]);
    const mjml = documentToMjml(checked.doc, {
      subject,
      preheader,
      brand,
      sender: sender.name,
      pictureUrl: (src) => this.pictureUrl(src),
    });
    const body = await this.html.make(mjml);
    if (body.length > BODY_MAX) throw invalid('document', problem('document', { fault: 'html', max: BODY_MAX }));
    return { body, bodyText: documentToText(checked.doc), document: checked.document };
  }

  private pictureUrl(src: string): string {
    const path = picturePath(src);
    return path === null ? src : `${this.config.publicUrl}${path}`;
  }
}

/** It is a template as the subject is. @throws ValidationError */
function checkPreheader(preheader: string, fields: string[]): void {
  const compiled = compileContent({ subject: preheader, body: '', bodyText: '' }, undefined, fields);
  if (!compiled.ok)
    throw new ValidationError(compiled.errors.map((found) => ({ ...found, field: 'document.preheader' })));
}
