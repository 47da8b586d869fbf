import type { MailingView } from '../../features/mailings/mailings.service';
import type { FormState } from '../answers';
import { LetterThumb } from '../components/letter-thumb';
import { messageTitle } from '../message-title';
import { useReader } from '../reader';
import type { MessageChoice } from './mailing-form-parts.service';

interface Props {
  form: FormState;
  messages: MessageChoice[];
  mailing: MailingView | undefined;
}

/**
 * The newest messages, as their letters look, and a search for all others; without a script the form is shown again with
 * what was found. The frames of those that are out of sight are not fetched.
 */
export function MessagePick({ form, messages, mailing }: Props) {
  const { t } = useReader();
  if (messages.length === 0 && !form.values.findMessage) {
    return (
      <>
        <p class="field">{t.mailings.noMessages}</p>
        <WriteMessage mailing={mailing} />
      </>
    );
  }
  const query = mailing ? `?mailingId=${mailing.id}` : '';
  return (
    <>
      <div class="field">
        <label class="form-label" for="find-message">
          {t.steps.findMessage}
        </label>
        <div class="line">
          <input
            class="form-control"
            type="search"
            id="find-message"
            name="findMessage"
            value={form.values.findMessage ?? ''}
            maxlength={200}
            autocomplete="off"
            hx-get={`/mailings/messages${query}`}
            hx-include="#message-pick"
            hx-trigger="input changed delay:250ms, again"
            hx-target="#message-pick"
            hx-swap="outerHTML"
            hx-sync="this:replace"
            data-keeps-choice
          />
          <noscript>
            <button class="btn btn-secondary" name="then" value="find">
              {t.steps.find}
            </button>
          </noscript>
        </div>
      </div>
      <div
        hx-get={`/mailings/letter${query}`}
        hx-include="#message-pick"
        hx-trigger="change"
        hx-target="#letter-look"
        hx-swap="outerHTML"
        hx-sync="this:replace"
      >
        <MessageChoices form={form} messages={messages} />
      </div>
      <WriteMessage mailing={mailing} />
    </>
  );
}

export function MessageChoices({ form, messages }: Pick<Props, 'form' | 'messages'>) {
  const { t } = useReader();
  const problem = form.problems.messageId;
  return (
    <fieldset id="message-pick" class="field" aria-live="polite" aria-describedby={problem && 'f-messageId-problem'}>
      <legend class="form-label">{t.field.message}</legend>
      {messages.length === 0 && <p class="hint">{t.list.nothingFound}</p>}
      <div class="letter-choices">
        {messages.map((message) => (
          <label class="letter-choice" key={message.id}>
            <LetterThumb src={`/messages/${message.id}/letter.html`} />
            <span class="letter-name">
              <input
                class="form-check-input"
                type="radio"
                id={`message-${message.id}`}
                name="messageId"
                value={String(message.id)}
                checked={form.values.messageId === String(message.id)}
                aria-invalid={problem ? 'true' : undefined}
              />{' '}
              {messageTitle(message, t)}
            </span>
          </label>
        ))}
      </div>
      {problem && (
        <p class="field-problem" id="f-messageId-problem">
          {problem}
        </p>
      )}
    </fieldset>
  );
}

/** Keeps what the form holds, and comes back to it with the new message chosen. */
function WriteMessage({ mailing }: Pick<Props, 'mailing'>) {
  const { t, user } = useReader();
  if (mailing && mailing.ownerId !== user?.id) return null;
  return (
    <p>
      <button class="btn btn-sm btn-secondary" formaction="/drafts/new-message">
        {t.kept.writeMessage}
      </button>
    </p>
  );
}

/** The letter of the chosen message before anything is sent: to be looked at, and to be sent to oneself. */
export function LetterLook({ message, at }: { message: MessageChoice | undefined; at: string }) {
  const { t, user } = useReader();
  if (!message) return <div id="letter-look" aria-live="polite"></div>;
  const title = messageTitle(message, t);
  return (
    <div id="letter-look" aria-live="polite">
      <details>
        <summary>{t.steps.look(title)}</summary>
        <iframe
          class="letter"
          sandbox=""
          loading="lazy"
          title={title}
          src={`/messages/${message.id}/letter.html`}
        ></iframe>
      </details>
      <p class="actions">
        <button class="btn btn-secondary" formaction={`${at}/test`}>
          {t.messages.test(user?.email ?? '')}
        </button>
        <noscript>
          <button class="btn btn-secondary" name="then" value="find">
            {t.steps.lookAgain}
          </button>
        </noscript>
      </p>
    </div>
  );
}
