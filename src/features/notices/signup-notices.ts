import type { Sql } from '../../database/database';
import { escapeHtml } from '../../domain/liquid';
import type { RenderedContent } from '../../domain/template';
import { tokenHash } from '../../domain/token-hash';
import type { Language } from './notice-texts';

/** What the letter to somebody who signed up says; nothing of it was written by whoever sent the form. */
export interface SignupNotice {
  signupId: number;
  language: Language;
  /** The form's title. */
  title: string;
  /** What the person agrees to; may be empty. */
  consentText: string;
  /** Whether the address is subscribed already. */
  isKnown: boolean;
}

/**
 * The sign-up that this token of a letter confirms, else null. It is not used up: a second click finds what the first
 * one did.
 */
export async function provedSignup(sql: Sql, token: string): Promise<number | null> {
  const found = await sql.first<{ id: number }>(
    `SELECT (n.payload->>'signupId')::bigint AS id FROM notice_tokens t JOIN notices n ON n.id = t.notice_id
      WHERE t.token_hash = $1 AND n.kind = 'signup' AND t.expires_at > now()`,
    [tokenHash(token)],
  );
  return found?.id ?? null;
}

const TEXTS = {
  en: {
    subject: (title: string) => `Please confirm: ${title}`,
    asked: (title: string) => `Somebody, hopefully you, entered this address in the form “${title}”.`,
    known:
      'You are subscribed already. If you confirm, what you chose is added, and what you entered replaces what was known.',
    agree: 'What you agree to:',
    button: 'Confirm',
    after: 'The link is good for seven days. If it was not you, do nothing: nothing will be changed.',
  },
  ru: {
    subject: (title: string) => `Подтвердите подписку: ${title}`,
    asked: (title: string) => `Кто-то (надеемся, вы) указал этот адрес в форме «${title}».`,
    known: 'Вы уже подписаны. Если вы подтвердите, выбранное добавится, а введённое заменит прежние данные.',
    agree: 'С чем вы соглашаетесь:',
    button: 'Подтвердить',
    after: 'Ссылка действует семь дней. Если это были не вы, ничего не делайте: ничего не изменится.',
  },
} satisfies Record<Language, object>;

/** `link` is made by us and contains nothing that needs escaping. */
export function signupNotice(notice: SignupNotice, link: string): RenderedContent {
  const { language, title, consentText, isKnown } = notice;
  const t = TEXTS[language];
  const lines = [t.asked(title), ...(isKnown ? [t.known] : []), ...(consentText ? [`${t.agree}\n${consentText}`] : [])];
  const paragraph = (text: string) => `<p>${escapeHtml(text).replaceAll('\n', '<br>')}</p>`;
  const body = [
    ...lines.map(paragraph),
    `<p><a href="${link}">${t.button}</a></p>`,
    `<p>${link}</p>`,
    paragraph(t.after),
  ].join('\n');
  return {
    subject: t.subject(title),
    html: `<!DOCTYPE html>\n<html lang="${language}"><body>\n${body}\n</body></html>\n`,
    text: `${[...lines, `${t.button}:\n${link}`, t.after].join('\n\n')}\n`,
  };
}
