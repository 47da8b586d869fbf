import type { Widened } from './widened';

/** The filters of the audit log. */
export const auditFilterEn = { objectId: 'Number of the object', about: 'All about it' };
export const auditFilterRu: Widened<typeof auditFilterEn> = { objectId: 'Номер объекта', about: 'Всё о нём' };

/** Inviting people, accepting, and what links of letters say that lead nowhere any more. */

export const invitationsEn = {
  invite: 'Invite',
  title: 'Invite somebody',
  text: 'They get an e-mail with a link with which they choose a password. The link is good for seven days.',
  language: 'Language of the e-mail',
  languages: { en: 'English', ru: 'Russian' },
  send: 'Send the invitation',
  invited: 'Invited',
  since: 'Last invited',
  again: 'Invite again',
  withdraw: 'Withdraw the invitation',
  withdrawQuestion: (email: string) => `Withdraw the invitation of ${email}?`,
  withdrawText: 'The link in the e-mail stops working. You can invite them again later.',
  accept: 'Welcome to Gonets',
  acceptText: 'Choose a password. With it and your address you sign in from now on.',
  acceptButton: 'Set the password',
  did: 'What they did',
  over: 'This link does not work any more',
  overReset: 'It was used already, or is more than an hour old. You can have a new one sent.',
  overConfirm: 'It was used already, or is more than a day old. If you have confirmed your address, sign in.',
  overInvitation:
    'It was used already, is more than seven days old, or was withdrawn. If you have chosen a password, sign in; else ask whoever invited you for a new one.',
  newLink: 'Send a new link',
};

export const invitationsRu: Widened<typeof invitationsEn> = {
  invite: 'Пригласить',
  title: 'Пригласить пользователя',
  text: 'На этот адрес придёт письмо со ссылкой, по которой можно задать пароль. Ссылка действует семь дней.',
  language: 'Язык письма',
  languages: { en: 'английский', ru: 'русский' },
  send: 'Отправить приглашение',
  invited: 'Приглашён',
  since: 'Последнее приглашение',
  again: 'Пригласить ещё раз',
  withdraw: 'Отозвать приглашение',
  withdrawQuestion: (email: string) => `Отозвать приглашение для ${email}?`,
  withdrawText: 'Ссылка в письме перестанет работать. Пригласить снова можно в любое время.',
  accept: 'Добро пожаловать в Gonets',
  acceptText: 'Задайте пароль. С ним и своим адресом вы будете входить.',
  acceptButton: 'Задать пароль',
  did: 'Действия пользователя',
  over: 'Эта ссылка больше не действует',
  overReset: 'Её уже использовали, или ей больше часа. Можно получить новую.',
  overConfirm: 'Её уже использовали, или ей больше суток. Если адрес подтверждён, войдите.',
  overInvitation:
    'Её уже использовали, ей больше семи дней или приглашение отозвано. Если пароль уже задан, войдите; если нет, попросите пригласить вас ещё раз.',
  newLink: 'Получить новую ссылку',
};
