import { subjectTitle } from '../domain/subject-title';
import type { Texts } from './texts/texts';

/** What a message is called on pages: by its subject. */
export const messageTitle = ({ id, subject }: { id: number; subject: string }, t: Texts): string =>
  subjectTitle(subject) || t.steps.untitled(id);
