import { templateColumns } from '../../domain/client-columns';
import type { FieldDefinition } from '../../domain/client-fields';
import type { Page } from '../../domain/paging';
import type { RenderedContent } from '../../domain/template';
import { TEMPLATE_VARIABLES } from '../../domain/template';
import type { MessageWithUse } from '../../features/messages/messages.service';
import type { FormState } from '../answers';
import { backOf } from '../../domain/form-pages';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Results, Search } from '../components/list';
import { messageTitle } from '../message-title';
import { AttachmentsLink } from './attachments.page';
import { useReader } from '../reader';

export function MessagesPage({ messages }: { messages: Page<MessageWithUse> }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.messages.title}>
        <a class="btn btn-secondary" href="/messages/pictures">
          {t.media.title}
        </a>
        <a class="btn btn-primary" href="/messages/new">
          <Icon name="plus" /> {t.messages.new}
        </a>
      </PageHead>
      <Search label={t.messages.search}>
        <OwnerPick />
      </Search>
      <Results
        page={messages}
        caption={t.messages.title}
        columns={[
          {
            head: t.field.subject,
            class: 'main-cell',
            cell: (message) => (
              <>
                <a href={`/messages/${message.id}`}>{messageTitle(message, t)}</a>
                <Owner id={message.ownerId} />
              </>
            ),
          },
          {
            head: t.messages.used,
            class: 'muted',
            cell: ({ mailingCount: n }) => (n > 0 ? t.messages.inMailings(n) : t.messages.unused),
          },
          { head: t.field.changedAt, class: 'muted text-nowrap', cell: ({ updatedAt }) => format.time(updatedAt) },
        ]}
        empty={{
          text: t.messages.empty,
          sample: t.shell.samples.messages,
          action: { to: '/messages/new', text: t.messages.new },
        }}
      />
    </>
  );
}

interface EditorProps {
  form: FormState;
  message?: MessageWithUse;
  mayChange: boolean;
  previewId: string;
  ownEmail: string;
  /** What its owner's clients have beside what all have. */
  fields: readonly FieldDefinition[];
}

/** The editor with a preview of the letter. */
export function MessagePage(props: EditorProps) {
  const { form, message, mayChange } = props;
  const { t, path } = useReader();
  const back = backOf(form.values.page ?? path);
  return (
    <>
      <PageHead
        title={message ? messageTitle(message, t) : t.messages.new}
        back={back ? { to: back, text: t.mailings.edit } : { to: '/messages', text: t.messages.title }}
      >
        {message && <MessageActions message={message} mayChange={mayChange} />}
      </PageHead>
      {back && <p class="hint">{t.kept.forMailing}</p>}
      <div class="editor-grid">
        <Editor {...props} cancel={back ?? '/messages'} />
        <PreviewPane {...props} />
      </div>
    </>
  );
}

function Editor({ form, message, mayChange, fields, cancel }: EditorProps & { cancel: string }) {
  const { t } = useReader();
  const inner = (
    <>
      <FormProblem form={form} />
      {message && message.mailingCount > 0 && <p class="hint">{t.messages.inUse(message.mailingCount)}</p>}
      <Field form={form} name="subject" label={t.field.subject} required />
      <Variables fields={fields} />
      <Field
        form={form}
        name="body"
        label={t.field.body}
        rows={18}
        required
        attributes={{ 'data-editor': true, spellcheck: 'false', class: 'code' }}
      />
      <details class="field" open={Boolean(form.values.bodyText)}>
        <summary>{t.messages.ownText}</summary>
        <Field form={form} name="bodyText" label={t.field.bodyText} rows={8} hint={t.messages.textHint} />
      </details>
      {message && <AttachmentsLink message={message} />}
      {mayChange && (
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={cancel}>
            {t.form.cancel}
          </a>
        </div>
      )}
    </>
  );
  const about = {
    action: message ? `/messages/${message.id}` : '/messages/new',
    class: 'card-box',
    id: 'message-form',
  };
  if (!mayChange) return <PostForm {...about}>{inner}</PostForm>;
  const { subject, body, bodyText } = t.field;
  return (
    <KeptForm form={form} labels={{ subject, body, bodyText }} {...about}>
      {inner}
    </KeptForm>
  );
}

function MessageActions({ message, mayChange }: { message: MessageWithUse; mayChange: boolean }) {
  const { t } = useReader();
  const at = `/messages/${message.id}`;
  return (
    <>
      <a class="btn btn-secondary" href={`/mailings/new?messageId=${message.id}`}>
        {t.messages.makeMailing}
      </a>
      <details class="more">
        <summary class="btn btn-secondary">{t.form.more}</summary>
        <div class="more-menu">
          <PostForm action={`${at}/copy`}>
            <button class="btn btn-quiet">{t.form.copy}</button>
          </PostForm>
          {mayChange && (
            <Confirm
              id="delete"
              action={`${at}/delete`}
              text={t.form.delete}
              question={t.messages.deleteQuestion}
              kind="btn-quiet danger"
            >
              <p>{message.mailingCount > 0 ? t.messages.inMailings(message.mailingCount) : t.messages.deleteText}</p>
            </Confirm>
          )}
        </div>
      </details>
    </>
  );
}

/** Buttons that insert a variable at the cursor. */
function Variables({ fields }: Pick<EditorProps, 'fields'>) {
  const { t } = useReader();
  const own = templateColumns(fields).filter((column) => column.own);
  const variables = [
    ...TEMPLATE_VARIABLES.map(({ name }) => ({ name, about: t.variable(name) })),
    ...own.map(({ key, label }) => ({ name: `client.${key}`, about: label })),
  ];
  return (
    <div class="field" role="group" aria-labelledby="variables">
      <p class="form-label" id="variables">
        {t.messages.variables}
      </p>
      <p class="variables">
        {variables.map(({ name, about }) => (
          <button key={name} type="button" class="btn btn-sm btn-secondary" data-insert={`{{ ${name} }}`} title={about}>
            <code>{`{{ ${name} }}`}</code>
          </button>
        ))}
      </p>
    </div>
  );
}

/** How the letter will look, and a button that sends it to its author as it stands in the form. */
function PreviewPane({ message, previewId, ownEmail }: Pick<EditorProps, 'message' | 'previewId' | 'ownEmail'>) {
  const { t } = useReader();
  return (
    <section class="card-box preview" aria-labelledby="preview-title">
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
        {(['desktop', 'phone', 'text'] as const).map((view) => (
          <label key={view}>
            <input type="radio" name="view" value={view} checked={view === 'desktop'} /> {t.messages[view]}
          </label>
        ))}
        <div id="preview" class="preview-box" aria-live="polite">
          <noscript>
            <p class="hint">{t.messages.previewLater}</p>
          </noscript>
        </div>
      </fieldset>
      <p>
        <button
          class="btn btn-secondary"
          form="message-form"
          formaction={message ? `/messages/${message.id}/test` : '/messages/new/test'}
        >
          {t.messages.test(ownEmail)}
        </button>
      </p>
    </section>
  );
}

/** The subject, and a frame with its own URL and security policy, so that nothing in a letter can run in this page. */
export function Preview({
  content,
  previewId,
  revision,
  problems,
}: {
  content?: RenderedContent;
  previewId: string;
  revision: number;
  problems?: string[];
}) {
  const { t } = useReader();
  if (!content) {
    return (
      <div class="alert alert-warning">
        <ul class="plain">
          {(problems ?? []).map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      </div>
    );
  }
  const src = `/messages/preview/${previewId}`;
  return (
    <>
      <p class="preview-subject">
        <span class="hint">{t.field.subject}:</span> {content.subject}
      </p>
      <iframe class="letter" sandbox="" title={t.messages.preview} src={`${src}.html?r=${revision}`}></iframe>
      <pre class="letter-text" tabindex={0}>
        {content.text}
      </pre>
    </>
  );
}
