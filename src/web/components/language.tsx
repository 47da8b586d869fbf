import { useReader } from '../reader';

/** For visitors who are not signed in: links that choose the language and store it in a cookie. */
export function LanguageLinks() {
  const { language, path } = useReader();
  const link = (code: 'en' | 'ru', name: string) => (
    <a
      href={`/language/${code}?next=${encodeURIComponent(path)}`}
      lang={code}
      aria-current={language === code ? 'true' : undefined}
    >
      {name}
    </a>
  );
  return (
    <p class="languages">
      {link('en', 'English')}
      {link('ru', 'Русский')}
    </p>
  );
}
