import { subjectTitle } from '../domain/subject-title';
import type { Texts } from './texts/texts';

interface Titled {
  id: number;
  /** Its own, or that of its message; may be empty. */
  name: string;
  messageSubject?: string | null;
}

/** What a mailing is called on pages: by its name, else by the subject of its message, else by its number. */
export const mailingTitle = ({ id, name, messageSubject }: Titled, t: Texts): string =>
  subjectTitle(name || (messageSubject ?? '')) || t.mailings.nameless(id);
