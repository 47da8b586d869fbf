import { renderToString } from 'preact-render-to-string';
import type { Problem } from '../../http/problem.filter';
import { causeOf } from '../notice';
import type { Reader } from '../reader';

/** As large as the frame is wide, because a frame may be a thumbnail. */
const STYLE =
  ':root{color-scheme:light dark;background:Canvas;color:CanvasText}' +
  'body{margin:0;min-height:100vh;display:grid;align-content:center;padding:1rem;box-sizing:border-box;' +
  'text-align:center;overflow-wrap:anywhere;font:clamp(16px,5vw,30px)/1.4 system-ui,sans-serif}';

/** What a frame shows instead of a letter: why there is none. A page with our menu would be refused there. */
export function noLetterPage({ t, language }: Pick<Reader, 't' | 'language'>, problem: Problem): string {
  const html = renderToString(
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <title>{t.line.noLetter}</title>
        <style>{STYLE}</style>
      </head>
      <body>
        <main>
          <strong>{t.line.noLetter}</strong>
          <div>{causeOf(problem, t)}</div>
        </main>
      </body>
    </html>,
  );
  return `<!doctype html>${html}`;
}
