import type { RenderedContent } from '../../domain/template';

import type { Language } from '../../domain/language';

export type { Language };

/** The notices whose text is ours; a test notice has the text of its message. */
export type TextNoticeKind =
  | 'confirm'
  | 'known_address'
  | 'reset'
  | 'change_email'
  | 'email_changed'
  | 'password_changed'
  | 'sign_in_changed'
  | 'let_in';

/** `test` has the text of a message, `signup` that of a form, `invite` names who invites. */
export type NoticeKind = TextNoticeKind | 'test' | 'signup' | 'invite';

interface NoticeText {
  subject: string;
  /** Before the link. */
  lines: string[];
  button?: string;
  /** After the link. */
  after: string[];
}

const TEXTS: Record<TextNoticeKind, Record<Language, NoticeText>> = {
  confirm: {
    en: {
      subject: 'Confirm your address',
      lines: ['Somebody, hopefully you, registered with this address.'],
      button: 'Confirm the address',
      after: ['The link is good for 24 hours. If it was not you, do nothing: without it there is no account.'],
    },
    ru: {
      subject: 'Подтвердите адрес',
      lines: ['Кто-то (надеемся, вы) зарегистрировался с этим адресом.'],
      button: 'Подтвердить адрес',
      after: ['Ссылка действует 24 часа. Если это были не вы, ничего не делайте: без неё учётной записи не будет.'],
    },
  },
  known_address: {
    en: {
      subject: 'You have an account already',
      lines: ['Somebody tried to register with this address, but there is an account with it already.'],
      button: 'Sign in',
      after: ['If you forgot the password, the sign-in page can set a new one. If it was not you, do nothing.'],
    },
    ru: {
      subject: 'У вас уже есть учётная запись',
      lines: ['Кто-то пытался зарегистрироваться с этим адресом, но учётная запись с ним уже есть.'],
      button: 'Войти',
      after: ['Если вы забыли пароль, новый можно задать со страницы входа. Если это были не вы, ничего не делайте.'],
    },
  },
  reset: {
    en: {
      subject: 'Set a new password',
      lines: ['Somebody, hopefully you, asked for a new password for the account with this address.'],
      button: 'Set a new password',
      after: ['The link is good for one hour and works once. If it was not you, do nothing: the password stays.'],
    },
    ru: {
      subject: 'Новый пароль',
      lines: ['Кто-то (надеемся, вы) попросил задать новый пароль для учётной записи с этим адресом.'],
      button: 'Задать новый пароль',
      after: ['Ссылка действует один час и только один раз. Если это были не вы, ничего не делайте: пароль останется.'],
    },
  },
  change_email: {
    en: {
      subject: 'Confirm your new address',
      lines: ['This is to become the new address of your account.'],
      button: 'Confirm the new address',
      after: ['The link is good for 24 hours. If you did not ask for this, do nothing: the old address stays.'],
    },
    ru: {
      subject: 'Подтвердите новый адрес',
      lines: ['Этот адрес указан как новый адрес вашей учётной записи.'],
      button: 'Подтвердить новый адрес',
      after: ['Ссылка действует 24 часа. Если вы об этом не просили, ничего не делайте: прежний адрес останется.'],
    },
  },
  email_changed: {
    en: {
      subject: 'The address of your account was changed',
      lines: [
        'From now on you sign in to your account with another address. If you did not change it, write to whoever runs this service.',
      ],
      after: [],
    },
    ru: {
      subject: 'Адрес вашей учётной записи изменён',
      lines: [
        'Теперь в вашу учётную запись входят с другим адресом. Если это сделали не вы, напишите тому, кто обслуживает этот сервис.',
      ],
      after: [],
    },
  },
  password_changed: {
    en: {
      subject: 'Your password was changed',
      lines: ['The password of your account was changed, and you were signed out everywhere else.'],
      button: 'Sign in',
      after: [
        'If it was set by a link that we sent you, all API tokens were ended, too. Otherwise they go on working: you can see and revoke them on your account page.',
        'If it was not you, set a new password at once with “Forgot your password?” on the sign-in page: that signs everybody out and ends all API tokens.',
      ],
    },
    ru: {
      subject: 'Ваш пароль изменён',
      lines: ['Пароль вашей учётной записи изменён, все остальные сеансы завершены.'],
      button: 'Войти',
      after: [
        'Если пароль задан по ссылке из письма, отозваны и все токены API. Иначе они продолжают работать: посмотреть и отозвать их можно на странице вашей учётной записи.',
        'Если это сделали не вы, сразу задайте новый пароль через «Забыли пароль?» на странице входа: это завершит все сеансы и отзовёт все токены API.',
      ],
    },
  },
  sign_in_changed: {
    en: {
      subject: 'The way into your account was changed',
      lines: [
        'The second factor of your account was switched on or off, new recovery codes were made, or an account of another sign-in service was linked or unlinked. Your account page shows how it is now.',
      ],
      button: 'Sign in',
      after: ['If it was not you, set a new password at once and write to whoever runs this service.'],
    },
    ru: {
      subject: 'Вход в вашу учётную запись изменён',
      lines: [
        'Второй фактор вашей учётной записи включён или отключён, созданы новые коды восстановления, либо к ней привязана или от неё отвязана учётная запись внешнего сервиса входа. Как обстоит дело сейчас, видно на странице учётной записи.',
      ],
      button: 'Войти',
      after: ['Если это сделали не вы, сразу задайте новый пароль и напишите тому, кто обслуживает этот сервис.'],
    },
  },
  let_in: {
    en: { subject: 'You may sign in now', lines: ['Your account was approved.'], button: 'Sign in', after: [] },
    ru: { subject: 'Теперь вы можете войти', lines: ['Ваша учётная запись одобрена.'], button: 'Войти', after: [] },
  },
};

/** A notice in the recipient's language; `link` is made by us and contains nothing that needs escaping. */
export function noticeText(kind: TextNoticeKind, language: Language, link: string): RenderedContent {
  const { subject, lines, button, after } = TEXTS[kind][language];
  const paragraphs = (texts: string[]) => texts.map((text) => `<p>${text}</p>`).join('\n');
  const anchor = button ? `<p><a href="${link}">${button}</a></p>\n<p>${link}</p>` : '';
  const body = [paragraphs(lines), anchor, paragraphs(after)].filter(Boolean).join('\n');
  return {
    subject,
    html: `<!DOCTYPE html>\n<html lang="${language}"><body>\n${body}\n</body></html>\n`,
    text: `${[...lines, ...(button ? [`${button}:\n${link}`] : []), ...after].join('\n\n')}\n`,
  };
}
