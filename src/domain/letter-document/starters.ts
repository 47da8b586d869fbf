import type { Language } from '../language';
import { DOCUMENT_VERSION, type LetterDocument } from './schema';
import { en } from './starters/en';
import { ru } from './starters/ru';

export const starterIds = ['news', 'announcement', 'invitation', 'offer', 'letter'] as const;
export type StarterId = (typeof starterIds)[number];

/** A letter that one may begin with. */
export interface Starter {
  id: StarterId;
  subject: string;
  document: LetterDocument;
}

export const startersOf = (language: Language): Starter[] =>
  starterIds.map((id) => {
    const { subject, preheader, doc } = { en, ru }[language][id];
    return { id, subject, document: { version: DOCUMENT_VERSION, preheader, doc: { type: 'doc', content: doc } } };
  });
