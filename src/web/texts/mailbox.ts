import type { MailboxView } from '../../features/inbound/mailbox-state.service';
import type { Widened } from './widened';

/** What the status page says of the mailbox for letters that come back. */
export const mailboxEn = {
  title: 'Mailbox for letters that come back',
  good: 'It is being read',
  trouble: 'It cannot be read:',
  where: 'Where',
  lastOkAt: 'Last read',
  never: 'Not yet',
  problem: {
    unreachable: 'its mail server cannot be reached.',
    interrupted: 'the connection is lost again and again.',
    tls_failed: 'there is no encrypted connection that can be trusted.',
    login_refused: 'its mail server refuses the user or the password.',
    token_refused: 'the provider gives no token for signing in. The application may have lost its permission.',
    token_unreachable: 'the provider that gives the tokens for signing in cannot be reached.',
    folder_missing: 'it has no such folder.',
    refused: 'its mail server refuses to show it.',
    broken: 'its mail server answers what cannot be understood.',
    not_read: 'no worker has looked at it.',
  } satisfies Record<NonNullable<MailboxView['problem']>, string>,
};

export const mailboxRu: Widened<typeof mailboxEn> = {
  title: 'Ящик для вернувшихся писем',
  good: 'Читается',
  trouble: 'Прочитать его не удаётся:',
  where: 'Где он',
  lastOkAt: 'Прочитан',
  never: 'Ещё ни разу',
  problem: {
    unreachable: 'его почтовый сервер недоступен.',
    interrupted: 'соединение всё время обрывается.',
    tls_failed: 'нет зашифрованного соединения, которому можно доверять.',
    login_refused: 'почтовый сервер не принимает имя пользователя или пароль.',
    token_refused: 'почтовая служба не выдаёт токен для входа. Возможно, у приложения больше нет разрешения.',
    token_unreachable: 'служба, которая выдаёт токены для входа, недоступна.',
    folder_missing: 'такой папки в нём нет.',
    refused: 'почтовый сервер отказывается его показать.',
    broken: 'ответы почтового сервера не удаётся понять.',
    not_read: 'ни один обработчик его не открывал.',
  },
};
