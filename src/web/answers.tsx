import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { Layout } from './components/layout';
import { type Flash, type Reader, ReaderContext } from './reader';
import type { Texts } from './texts/texts';

export { emptyForm, type FormState } from './form-state';

/** What a handler of a page returns; the interceptor renders it. */
export type WebAnswer =
  | { kind: 'page'; title: (t: Texts) => string; body: VNode; status?: number; retryAfterS?: number }
  | { kind: 'fragment'; body: VNode; status?: number }
  | { kind: 'redirect'; to: string; flash?: Flash };

export const page = (title: (t: Texts) => string, body: VNode, status?: number): WebAnswer =>
  status === undefined ? { kind: 'page', title, body } : { kind: 'page', title, body, status };

/** Only a live part of a page. */
export const fragment = (body: VNode): WebAnswer => ({ kind: 'fragment', body });

/** After a change: leads to another page, with one sentence about what was done. */
export const redirect = (to: string, flash?: Flash): WebAnswer =>
  flash === undefined ? { kind: 'redirect', to } : { kind: 'redirect', to, flash };

export function renderAnswer(reader: Reader, answer: Exclude<WebAnswer, { kind: 'redirect' }>): string {
  // A page that says what went wrong is not headed by what went well before.
  if ((answer.status ?? 200) >= 400) reader = { ...reader, flash: null, notice: null };
  if (answer.kind === 'fragment') {
    return renderToString(<ReaderContext.Provider value={reader}>{answer.body}</ReaderContext.Provider>);
  }
  const html = renderToString(
    <ReaderContext.Provider value={reader}>
      <Layout title={answer.title(reader.t)}>{answer.body}</Layout>
    </ReaderContext.Provider>,
  );
  return `<!doctype html>${html}`;
}
