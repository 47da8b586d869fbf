import type { RenderedContent } from '../../domain/template';
import type { MessageWithUse } from '../../features/messages/messages.service';
import { assetUrl } from '../assets';
import type { FormValues } from '../form-state';
import { useReader } from '../reader';
import { ForeignTags } from './foreign-tags';

interface PaneProps {
  message?: MessageWithUse | undefined;
  previewId: string;
  ownEmail: string;
}

export const previewViews = ['desktop', 'phone', 'dark', 'noPictures', 'text'] as const;

/** How the letter will look, and a button that sends it to its author as it stands in the form. */
export function PreviewPane({ message, previewId, ownEmail }: PaneProps) {
  const { t } = useReader();
  return (
    <section class="card-box preview" aria-labelledby="preview-title">
      <link rel="stylesheet" href={assetUrl('letter-editor.css')} />
      <h2 id="preview-title">{t.messages.preview}</h2>
      <div
        hx-post="/messages/preview"
        hx-include="#message-form, #preview-client"
        hx-trigger="load, input delay:500ms from:#message-form, input delay:400ms from:#preview-client"
        hx-target="#preview"
        hx-swap="innerHTML"
        hx-sync="this:replace"
      ></div>
      <input type="hidden" form="message-form" name="previewId" value={previewId} />
      {message && <input type="hidden" form="message-form" name="previewOf" value={message.id} />}
      <div class="field">
        <label class="form-label" for="preview-client">
          {t.messages.previewAs}
        </label>
        <input
          class="form-control"
          type="search"
          id="preview-client"
          name="previewClient"
          placeholder={t.messages.madeUp}
          autocomplete="off"
        />
      </div>
      <fieldset class="tabs">
        <legend class="visually-hidden">{t.messages.preview}</legend>
        {previewViews.map((view) => (
          <label key={view}>
            <input type="radio" name="view" value={view} checked={view === 'desktop'} />{' '}
            {view === 'dark' || view === 'noPictures' ? t.letterEditor[view] : t.messages[view]}
          </label>
        ))}
        <p>
          <button
            class="btn btn-secondary"
            form="message-form"
            formaction={message ? `/messages/${message.id}/test` : '/messages/new/test'}
          >
            {t.messages.test(ownEmail)}
          </button>
        </p>
        <div id="preview" class="preview-box" aria-live="polite">
          <noscript>
            <p class="hint">{t.messages.previewLater}</p>
          </noscript>
        </div>
      </fieldset>
    </section>
  );
}

interface PreviewProps {
  form: FormValues;
  content?: RenderedContent;
  previewId: string;
  revision: number;
  problems?: string[];
}

/** The subject, and a frame with its own URL and security policy, so that nothing in a letter can run in this page. */
export function Preview({ form, content, previewId, revision, problems }: PreviewProps) {
  const { t } = useReader();
  if (!content) {
    return (
      <>
        <ForeignTags values={form} apart />
        <div class="alert alert-warning">
          <ul class="plain">
            {(problems ?? []).map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      </>
    );
  }
  const src = `/messages/preview/${previewId}.html?r=${revision}`;
  return (
    <>
      <ForeignTags values={form} apart />
      <p class="preview-subject">
        <span class="hint">{t.field.subject}:</span> {content.subject}
      </p>
      <iframe class="letter" sandbox="" title={t.messages.preview} src={src}></iframe>
      <iframe
        class="letter without-pictures"
        sandbox=""
        loading="lazy"
        title={`${t.messages.preview}: ${t.letterEditor.noPictures}`}
        src={`${src}&pictures=0`}
      ></iframe>
      <pre class="letter-text" tabindex={0}>
        {content.text}
      </pre>
    </>
  );
}
