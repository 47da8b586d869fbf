import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { type Language, languages } from '../../domain/language';
import { parseMailbox } from '../../domain/mailbox';
import type { WayOut } from '../../features/runs/unsubscribe.service';
import { assetUrl } from '../assets';
import { textsOf } from '../texts/texts';
import { Topics } from './topics';

/** What has just happened: nothing yet, they left, they came back, they chose topics. */
export type WayState = 'asks' | 'left' | 'back' | 'chosen';

/** A whole page for people who never heard of this service: no menu, no script, nothing from elsewhere. */
export function unsubscribePage(language: Language, way: WayOut, state: WayState): string {
  const t = textsOf(language).unsubscribe;
  const { title, body } = contentOf(language, way, state);
  const page = (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="stylesheet" href={assetUrl('styles.css')} />
      </head>
      <body class="alone">
        <main id="main">
          <div class="door">
            <h1>{title}</h1>
            <div class="card-box">{body}</div>
            <Chosen language={language} way={way} state={state} />
            <p class="hint" lang={language}>
              {languages
                .filter((other) => other !== language)
                .map((other) => (
                  <a key={other} href={`?lang=${other}`} lang={other} rel="nofollow">
                    {textsOf(other).unsubscribe.inThisLanguage}
                  </a>
                ))}
            </p>
            {way.isTest && <p class="hint">{t.test}</p>}
          </div>
        </main>
      </body>
    </html>
  );
  return `<!doctype html>${renderToString(page)}`;
}

function contentOf(language: Language, way: WayOut, state: WayState): { title: string; body: ComponentChildren } {
  const t = textsOf(language).unsubscribe;
  const sender = senderName(way.sender);
  const address = way.email === null ? t.yourAddress : <strong class="text-break">{masked(way.email)}</strong>;
  if (way.isTest) return { title: t.title, body: <p>{t.testLetter}</p> };
  if (state === 'back') return { title: t.backTitle, body: <p>{t.back(sender)}</p> };
  const isOut = way.unsubscribed !== null && (state === 'left' || way.unsubscribed === 'owner');
  if (isOut) {
    return {
      title: t.leftTitle,
      body: (
        <>
          <p>
            {address} {way.unsubscribed === 'mailing' && way.mailing ? t.leftMailing(way.mailing) : t.left(sender)}
          </p>
          <form method="post">
            <input type="hidden" name="action" value="resubscribe" />
            <p class="hint">{t.mistake}</p>
            <button class="btn btn-secondary">{t.again}</button>
          </form>
        </>
      ),
    };
  }
  return {
    title: t.title,
    body: (
      <form method="post">
        <input type="hidden" name="action" value="unsubscribe" />
        <p>
          {address} {t.gets}
        </p>
        <fieldset>
          <legend class="form-label">{t.from}</legend>
          <Choice value="owner" text={t.all(sender)} checked />
          {way.mailing && <Choice value="mailing" text={t.only(way.mailing)} />}
        </fieldset>
        <div class="actions">
          <button class="btn btn-primary">{t.leave}</button>
        </div>
      </form>
    ),
  };
}

/** The public tags, beside unsubscribing: who gets fewer letters need not leave. */
function Chosen({ language, way, state }: { language: Language; way: WayOut; state: WayState }) {
  const t = textsOf(language).topics;
  const isOut = way.unsubscribed === 'owner' || state === 'left';
  if (way.topics.length === 0 || isOut) return null;
  const values = Object.fromEntries(way.topics.filter(({ chosen }) => chosen).map(({ id }) => [`topic.${id}`, 'on']));
  return (
    <form method="post" class="card-box">
      <input type="hidden" name="action" value="topics" />
      <input type="hidden" name="shown" value={way.topics.map(({ id }) => id).join('-')} />
      {state === 'chosen' && (
        <p role="status">
          <strong>{t.saved}</strong>
        </p>
      )}
      <p>{t.text(senderName(way.sender))}</p>
      <Topics state={{ values, problems: {} }} topics={way.topics} legend={t.title} />
      <div class="actions">
        <button class="btn btn-secondary">{t.save}</button>
      </div>
    </form>
  );
}

function Choice({ value, text, checked }: { value: string; text: string; checked?: boolean }) {
  return (
    <div class="form-check">
      <input class="form-check-input" type="radio" name="scope" id={`scope-${value}`} value={value} checked={checked} />
      <label class="form-check-label" for={`scope-${value}`}>
        {text}
      </label>
    </div>
  );
}

function senderName(sender: string | null): string | null {
  const mailbox = sender === null ? null : parseMailbox(sender);
  return mailbox && (mailbox.name || mailbox.address);
}

/** Enough for its owner to know it; the link may have been forwarded. */
export const masked = (email: string): string => `${email.slice(0, 1)}•••${email.slice(email.lastIndexOf('@'))}`;
