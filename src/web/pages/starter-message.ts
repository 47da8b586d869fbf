import type { Language } from '../texts/texts';

const letter = (greeting: string, nobody: string, text: string, farewell: string) => `<!doctype html>
<html>
  <head>
    <style>
      body { margin: 0; background: #f4f4f1; font-family: Helvetica, Arial, sans-serif; color: #22282b; }
      .letter { max-width: 560px; margin: 0 auto; padding: 32px; background: #ffffff; }
      h1 { font-size: 22px; margin: 0 0 16px; }
      p { line-height: 1.5; margin: 0 0 16px; }
    </style>
  </head>
  <body>
    <div class="letter">
      <h1>${greeting}, {{ client.fullName | default: "${nobody}" }}!</h1>
      <p>${text}</p>
      <p>${farewell}<br>{{ sender.name }}</p>
    </div>
  </body>
</html>
`;

/** The body that a new message begins with. */
export const STARTER: Record<Language, string> = {
  en: letter('Hello', 'dear reader', 'Here is what is new.', 'Kind regards,'),
  ru: letter('Здравствуйте', 'дорогие читатели', 'Вот что у нас нового.', 'С уважением,'),
};
