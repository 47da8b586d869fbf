import type { FieldDefinition } from '../../domain/client-fields';
import type { Page } from '../../domain/paging';
import type { MessageWithUse } from '../../features/messages/messages.service';
import type { FormState } from '../answers';
import { backOf } from '../../domain/form-pages';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { FirstSave, KeptForm } from '../components/kept-form';
import { Icon } from '../components/icon';
import { LetterEditor, variablesFor } from './letter-editor';
import { Owner, OwnerPick, PageHead, Results, Search } from '../components/list';
import { hasBlocks } from '../letter/letter-form';
import { letterWords } from '../letter/letter-words';
import { messageTitle } from '../message-title';
import { AttachmentsLink } from './attachments.page';
import { useReader } from '../reader';
import { ForeignTags } from './foreign-tags';
import { PreviewPane } from './message-preview';

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
            class: 'muted text-nowrap',
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
      <div class={hasBlocks(form.values) ? 'letter-grid' : 'editor-grid'}>
        <Editor {...props} cancel={back ?? '/messages'} />
        <PreviewPane {...props} />
      </div>
    </>
  );
}

function Editor({ form, message, mayChange, fields, cancel }: EditorProps & { cancel: string }) {
  const { t } = useReader();
  // What went wrong, or another's change, is read first.
  const isFresh = !message && !form.draftOf && !form.problem && Object.keys(form.problems).length === 0;
  const inner = (
    <>
      <FormProblem form={form} />
      {message && message.mailingCount > 0 && <p class="hint">{t.messages.inUse(message.mailingCount)}</p>}
      {hasBlocks(form.values) ? (
        <>
          <Field
            form={form}
            name="subject"
            label={t.field.subject}
            required
            attributes={{ 'data-line': true, dir: 'auto', autofocus: isFresh }}
          />
          <LetterEditor form={form} fields={fields} />
        </>
      ) : (
        <HtmlSource form={form} fields={fields} />
      )}
      <ForeignTags values={form.values} />
      <Field form={form} name="name" label={t.field.name} hint={t.letterEditor.nameHint} />
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
  const { name, subject, body, bodyText } = t.field;
  const { preheader, letter } = t.letterEditor;
  const labels = { name, subject, body, bodyText, preheader, document: letter };
  return (
    <KeptForm form={form} labels={labels} words={letterWords} first={<FirstSave />} {...about}>
      {inner}
    </KeptForm>
  );
}

function HtmlSource({ form, fields }: Pick<EditorProps, 'form' | 'fields'>) {
  const { t } = useReader();
  return (
    <>
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
    </>
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
          {mayChange && message.document && (
            <Confirm
              id="to-html"
              action={`${at}/html`}
              text={t.letterEditor.toHtml}
              question={t.letterEditor.toHtmlQuestion}
              kind="btn-quiet"
            >
              <p>{t.letterEditor.toHtmlText}</p>
            </Confirm>
          )}
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
  return (
    <div class="field" role="group" aria-labelledby="variables">
      <p class="form-label" id="variables">
        {t.messages.variables}
      </p>
      <p class="variables">
        {variablesFor(fields, t).map(({ name, about }) => (
          <button key={name} type="button" class="btn btn-sm btn-secondary" data-insert={`{{ ${name} }}`} title={about}>
            <code>{`{{ ${name} }}`}</code>
          </button>
        ))}
      </p>
    </div>
  );
}
