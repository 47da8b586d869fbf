import type { Language } from '../language';
import { DOCUMENT_VERSION, type LetterDocument } from './schema';
import { en } from './starters/en';
import { letters } from './starters/letters';
import { ru } from './starters/ru';

export const starterIds = ['news', 'announcement', 'invitation', 'offer', 'letter'] as const;
export type StarterId = (typeof starterIds)[number];

/** A letter that one may begin with. */
export interface Starter {
  id: StarterId;
  subject: string;
  document: LetterDocument;
}

export const startersOf = (language: Language): Starter[] => {
  const words = { en, ru }[language];
  const contents = letters(words);
  return starterIds.map((id) => {
    const { subject, preheader } = words[id];
    const doc = { type: 'doc', content: contents[id] };
    return { id, subject, document: { version: DOCUMENT_VERSION, preheader, doc } };
  });
};
