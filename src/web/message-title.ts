import { subjectTitle } from '../domain/subject-title';
import type { Texts } from './texts/texts';

/** What a message is called on pages: by its name, or by its subject. */
export const messageTitle = ({ id, name, subject }: { id: number; name: string; subject: string }, t: Texts): string =>
  subjectTitle(name || subject) || t.steps.untitled(id);
