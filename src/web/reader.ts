import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { FormDraft } from '../features/drafts/form-drafts.service';
import type { Role } from '../domain/permissions';
import { type Formats, formatsOf } from './formats';
import type { Notice } from './notice';
import { type Language, type Texts, textsOf } from './texts/texts';

export interface SignedIn {
  id: number;
  email: string;
  fullName: string;
  role: Role;
}

/**
 * The person who looks at the page, signed in or not: language, time zone, texts. Every component asks `useReader()`.
 * What a person may see and do is decided by `Viewer` (domain/permissions.ts).
 */
export interface Reader {
  user: SignedIn | null;
  /** The owners whose objects the reader sees in a list; null if there is only one, and on other pages. */
  owners: { id: number; email: string }[] | null;
  language: Language;
  timeZone: string;
  t: Texts;
  format: Formats;
  /** For the hidden field of every form. */
  csrfToken: string;
  /** The address of this page, with its query. */
  path: string;
  query: URLSearchParams;
  now: Date;
  flash: Flash | null;
  /** What the reader has typed into the form of this page and not saved. */
  draft: FormDraft | null;
  /** Why what was asked for on this page was refused. */
  notice: Notice | null;
}

/** A sentence that the previous page left to be shown on this one. */
export type Flash = keyof Texts['flashes'];

export function readerOf(
  about: Pick<Reader, 'user' | 'owners' | 'language' | 'timeZone' | 'csrfToken' | 'path' | 'flash' | 'notice'>,
): Reader {
  const mark = about.path.indexOf('?');
  return {
    ...about,
    t: textsOf(about.language),
    format: formatsOf(about.language, about.timeZone),
    query: new URLSearchParams(mark < 0 ? '' : about.path.slice(mark)),
    now: new Date(),
    draft: null,
  };
}

export const ReaderContext = createContext<Reader | null>(null);

export function useReader(): Reader {
  const reader = useContext(ReaderContext);
  if (!reader) throw new Error('a component was rendered outside of a page');
  return reader;
}
