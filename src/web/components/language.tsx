import { type Language, languages } from '../../domain/language';
import { useReader } from '../reader';

/** Each in its own words, as people look for theirs. */
export const languageNames: Record<Language, string> = { en: 'English', ru: 'Русский' };

/** For visitors who are not signed in: links that choose the language and store it in a cookie. */
export function LanguageLinks() {
  const { language, path } = useReader();
  const link = (code: Language) => (
    <a
      key={code}
      href={`/language/${code}?next=${encodeURIComponent(path)}`}
      lang={code}
      aria-current={language === code ? 'true' : undefined}
    >
      {languageNames[code]}
    </a>
  );
  return <p class="languages">{languages.map(link)}</p>;
}
