import { escapeHtml } from '../../domain/liquid';
import type { RenderedContent } from '../../domain/template';
import type { Language } from './notice-texts';

/** What the letter to somebody who is invited to the service says. */
export interface InviteNotice {
  language: Language;
  /** The address of whoever invites. */
  inviter: string;
}

const TEXTS = {
  en: {
    subject: (host: string) => `You are invited to ${host}`,
    lines: (inviter: string, host: string) => [
      `${inviter} invites you to send mailings with Gonets at ${host}.`,
      'Choose a password, and you can sign in with this address.',
    ],
    button: 'Choose a password',
    after: 'The link is good for seven days. If you do not know the person who invites you, do nothing.',
  },
  ru: {
    subject: (host: string) => `Вас приглашают в ${host}`,
    lines: (inviter: string, host: string) => [
      `${inviter} приглашает вас в Gonets, сервис рассылок на ${host}.`,
      'Задайте пароль, и вы сможете входить с этим адресом.',
    ],
    button: 'Задать пароль',
    after: 'Ссылка действует семь дней. Если вы не знаете, кто вас приглашает, ничего не делайте.',
  },
} satisfies Record<Language, object>;

/** `link` is made by us and contains nothing that needs escaping. */
export function inviteNotice({ language, inviter }: InviteNotice, link: string): RenderedContent {
  const t = TEXTS[language];
  const { host } = new URL(link);
  const lines = t.lines(inviter, host);
  const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`;
  const body = [
    ...lines.map(paragraph),
    `<p><a href="${link}">${t.button}</a></p>`,
    `<p>${link}</p>`,
    paragraph(t.after),
  ].join('\n');
  return {
    subject: t.subject(host),
    html: `<!DOCTYPE html>\n<html lang="${language}"><body>\n${body}\n</body></html>\n`,
    text: `${[...lines, `${t.button}:\n${link}`, t.after].join('\n\n')}\n`,
  };
}
