import { classify, parseSmtpReply, type SmtpPhase, type SmtpReason } from '../../src/domain/smtp-outcome';
import { refusalWords } from '../../src/domain/refusal-text';
import { PER_SESSION } from '../../src/domain/smtp-wordings';

const verdict = (text: string, phase: SmtpPhase = 'rcpt') => {
  const reply = parseSmtpReply(text);
  if (!reply) throw new Error(`not a reply: ${text}`);
  return classify({ kind: 'refused', phase, reply }, { from: 'news@example.com', to: 'bob@client.example' });
};
const LETTER: SmtpPhase[] = ['mail', 'rcpt', 'data', 'dot'];

/** Our own quota, in the words of relays and providers. */
test.each([
  "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
  '550 5.4.5 Daily SMTP relay limit exceeded for customer. For more information on SMTP relay sending limits see https://support.google.com/a/answer/166852',
  '550-5.4.5 Daily user sending quota exceeded. For more information on Gmail\n550-5.4.5 sending limits go to\n550 5.4.5  https://support.google.com/mail/?p=UserSendQuota d7si - gsmtp',
  "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message The message can't be submitted because the sender's submission quota was exceeded",
  '554 5.7.1 limit of 200 rcpts per hour reached for user news',
  '550 Domain example.com has exceeded the max emails per hour (150/150 (100%)) allowed. Message discarded.',
  '554 Domain example.com has exceeded the max defers and failures per hour (5/5 (100%)) allowed. Message discarded.',
  '454 Throttling failure: Maximum sending rate exceeded.',
  '454 Throttling failure: Daily message quota exceeded.',
  '450 4.7.1 Error: too much mail from 203.0.113.7',
  '421 4.7.0 Error: too much mail from [203.0.113.7]',
  '451 4.7.1 You have exceeded your hourly sending limit, try again later',
  '452 4.3.1 You have exceeded your daily sending quota',
  '550 5.7.232 Your message can’t be sent because your trial tenant has exceeded its daily limit for sending email to external recipients',
  '550 5.7.233 Your message can’t be sent because your tenant exceeded its daily limit for sending email',
  '550 user news has exceeded its 24-hour sending limit. Messages to 250 recipients out of 250 allowed have been sent',
  '420 domain example.com is not allowed to send: recipient limit exceeded, try again after 6 hours',
  '451 You have exceeded your messaging limits',
  '550 Maximum credits exceeded',
  '420 4.7.0 Exceed Sending Limit (daily)',
  '554 5.7.1 Outgoing mail limit exceeded for this account today',
  '550 5.7.1 Email rejected: the limit of 500 messages/day has been reached',
  '450 4.7.1 Quota exceeded: you may send 300 messages per day',
  '550 Hourly quota used up',
  '421 You have sent too many messages in the last hour',
  '550 5.7.0 Too many messages from your account today',
  '550 5.7.1 Превышен суточный лимит отправки писем',
  '451 4.7.1 Лимит рассылки исчерпан, попробуйте завтра',
  '550 Sie haben Ihr tägliches Versandlimit überschritten',
  '550 Ihr stündliches Sendekontingent ist aufgebraucht',
  "550 Quota d'envoi quotidien dépassé",
  '550 Límite diario de envío superado',
  '550 发送数量超过每日限制',
  '554 该用户已达到每日发信上限',
  '550 1日の送信上限を超えました',
  '552 5.2.2 Sending quota exceeded',
  '554 5.7.1 Daily sending limit exceeded for this mailbox',
  '550 5.7.1 User exceeded allowed number of recipients per day',
  '550 5.4.6 Unusual sending activity detected. Please try after sometime',
  '450 4.3.2 Sender has exceeded the number of allowed messages',
  '550 Вы превысили лимит отправки',
  '550 Se ha alcanzado el límite de mensajes por hora',
  '550 今日发信数量已达上限',
])('%j is our quota, at any step', (text) => {
  for (const phase of LETTER)
    expect(verdict(text, phase)).toMatchObject({
      reason: 'quota_exceeded',
      delivery: 'pending',
      scope: 'account',
      tryUsed: false,
      consequence: { kind: 'rest' },
    });
});

/** There is no such recipient, in any language seen, even behind 5.7.1. */
const NOBODY = [
  '550 5.7.1 No such user!',
  '550 No Such User Here',
  '550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient’s email address',
  "554 delivery error: dd This user doesn't have a yahoo.com account (bob@client.example)",
  '550 5.7.1 <bob@client.example>: Recipient address rejected: User unknown in local recipient table',
  '550 <bob@client.example>: Recipient address rejected: User unknown in virtual mailbox table',
  '550 Requested action not taken: mailbox unavailable',
  '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)',
  '554 5.7.1 invalid mailbox',
  '550 5.7.1 account disabled',
  '554 5.7.1 The account bob has been disabled',
  '550 unknown user',
  '550 5.7.1 Unknown recipient',
  '550 Mailbox not found',
  '550 sorry, no mailbox here by that name',
  '511 sorry, no mailbox here by that name (#5.1.1 - chkuser)',
  '550 Unrouteable address',
  '554 5.7.1 Recipient address does not exist here',
  '550 bob: inactive user',
  '554 5.7.1 Addressee unknown',
  '550 That user is no longer here',
  '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)',
  '550 User bob@client.example not found',
  '550 5.7.1 The recipient <bob@client.example> at mx.client.example was not found.',
  '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
  '554 5.7.1 user not found',
  '550 5.7.1 mailbox is inactive',
  '550 spamtrap: not a valid recipient',
  '550 5.7.1 Нет такого пользователя',
  '550 5.7.1 Пользователь не найден',
  '550 Почтовый ящик не существует',
  '550 Ящик отключен за неиспользование',
  '554 5.7.1 Неизвестный получатель',
  '550 Учётная запись заблокирована',
  '550 Такого адреса не существует',
  '550 адресат недоступен',
  '550 5.7.1 Empfänger unbekannt',
  '550 Unbekannter Benutzer',
  '554 5.7.1 Postfach existiert nicht',
  '550 Konto deaktiviert',
  '550 Kein solcher Benutzer',
  '550 5.7.1 Utilisateur inconnu',
  '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_418 [418]',
  "550 Cette boîte aux lettres n'existe pas",
  '550 Compte désactivé',
  '550 Destinataire inconnu',
  '550 5.7.1 Usuario desconocido',
  '550 El buzón no existe',
  '550 No existe el usuario',
  '550 Cuenta desactivada',
  '550 Utente sconosciuto',
  '550 casella inesistente',
  '550 Usuário desconhecido',
  '550 Conta desativada',
  '550 Użytkownik nieznany',
  '550 nie ma takiego konta',
  '550 Gebruiker onbekend',
  '550 Böyle bir kullanıcı yok',
  '550 5.7.1 用户不存在',
  '550 收件人不存在',
  '554 5.7.1 无此用户',
  '550 邮箱已停用',
  '550 账号被冻结',
  '550 查無此人',
  '550 使用者不存在',
  '550 5.7.1 ユーザーが存在しません',
  '550 宛先不明',
  '550 メールボックスが見つかりません',
  '550 5.7.1 bob@client.example is unknown',
  '550 не существует такой ящик',
  '550 そのようなユーザーはいません',
  '550 アカウントが無効です',
  '550 아이디: 사용자를 찾을 수 없습니다',
];
test.each(NOBODY)('%j: there is no such user, before and after the letter', (text) => {
  for (const phase of ['rcpt', 'data', 'dot'] as const)
    expect(verdict(text, phase)).toMatchObject({
      reason: 'user_unknown',
      delivery: 'failed',
      scope: 'recipient',
      refusal: null,
      consequence: { kind: 'none' },
    });
});

test.each([
  '550 5.1.0 <news@example.com>: Sender address rejected: User unknown in local recipient table',
  '550 5.1.0 news@example.com: address unknown',
  '550 5.7.1 <news@example.com>: Sender address rejected: not owned by user news',
  '553 5.1.8 domain of sender does not exist',
  '550 5.1.7 invalid address',
  '550-Verification failed for <news@example.com>\n550-No Such User Here\n550 Sender verify failed',
  '550 5.7.1 Sender rejected',
  '554 5.7.1 The sender was refused',
  '550 Invalid sender',
  '550 Mail from news@example.com is not allowed',
  '550 Your account has been suspended',
  '554 Message rejected: Email address is not verified. The following identities failed the check: news@example.com',
  '550 5.7.1 Адрес отправителя отклонён',
  '550 Absender abgelehnt',
  '550 Expéditeur refusé',
  '550 发件人被拒绝',
])('%j is about the sender', (text) =>
  expect(verdict(text)).toMatchObject({ reason: 'sender_refused', delivery: 'pending', scope: 'mailing' }),
);

test.each([
  '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded',
  '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.',
  '421 4.7.0 Too many concurrent SMTP connections; please try again later.',
  '421 Too many connections from your host',
  '451 4.3.0 too many simultaneous connections',
  '554 Maximum number of connections reached',
  '450 Zu viele gleichzeitige Verbindungen',
  '450 Слишком много одновременных соединений',
  '450 并发连接过多',
])('%j is too many at once', (text) => {
  for (const phase of LETTER)
    expect(verdict(text, phase)).toMatchObject({
      reason: 'server_busy',
      tryUsed: false,
      consequence: { kind: 'fewer' },
    });
});

test.each([
  '452 4.5.3 Too many messages per session',
  '421 4.7.0 too many messages in this connection',
  '451 message limit per connection reached',
  '450 Only 100 messages/session are taken',
  '421 4.4.2 Session limit reached',
  '451 Too many recipients this session',
  '421 Transaction limit for this connection',
  '451 Слишком много писем за одно соединение',
])('%j is about this session', (text) => expect(PER_SESSION.test(refusalWords(text))).toBe(true));

test.each<[string, SmtpPhase, SmtpReason]>([
  ['550 5.2.2 mailbox over quota', 'rcpt', 'mailbox_full'],
  ['452 4.2.2 The recipient’s inbox is out of storage space', 'rcpt', 'mailbox_full'],
  ['552 5.2.2 user has exceeded the storage limit', 'dot', 'mailbox_full'],
  ['550 5.7.1 mailbox full', 'rcpt', 'mailbox_full'],
  ['452 bob quota exceeded', 'rcpt', 'mailbox_full'],
  ['452 4.2.2 account over quota', 'rcpt', 'mailbox_full'],
  ['550 Почтовый ящик переполнен', 'rcpt', 'mailbox_full'],
  ['552 5.3.4 message exceeds the maximum size limit of your account', 'dot', 'message_too_large'],
  ['552 message size exceeds the limit', 'dot', 'message_too_large'],
  [
    '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages',
    'rcpt',
    'recipient_deferred',
  ],
  [
    '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address',
    'dot',
    'rate_limited_by_provider',
  ],
  [
    '421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred due to unexpected volume or user complaints',
    'mail',
    'server_busy',
  ],
  ['450 4.7.1 <unknown[1.2.3.4]>: Client host rejected: cannot find your hostname', 'rcpt', 'greylisted'],
  ['554 5.7.1 <unknown[1.2.3.4]>: Client host rejected: Access denied', 'rcpt', 'policy_refused'],
  ['550 5.7.1 Message rejected by policy', 'rcpt', 'policy_refused'],
  ['550 5.7.1 Helo command rejected: Host not found', 'rcpt', 'policy_refused'],
  ['554 5.7.1 Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org', 'rcpt', 'sender_blocked'],
  [
    '550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550 5.7.26 see',
    'dot',
    'sender_unauthenticated',
  ],
  ['554 5.7.1 Message contains spam', 'dot', 'content_refused'],
  ['452 4.3.1 Insufficient system storage', 'rcpt', 'recipient_deferred'],
  ['450 4.1.8 <news@example.com>: Sender address rejected: Domain not found', 'rcpt', 'sender_deferred'],
  ['450 4.1.1 <bob@client.example>: Recipient address rejected: unverified address', 'rcpt', 'recipient_deferred'],
  [
    '550 5.7.1 Unfortunately, messages from [1.2.3.4] weren’t sent. Please contact your Internet service provider',
    'rcpt',
    'policy_refused',
  ],
])('%j at %s is %s', (text, phase, reason) => expect(verdict(text, phase).reason).toBe(reason));

test.each([
  ['550 5.7.1 rejected', true],
  ['550 go away', true],
  ['554 transaction failed', true],
  ['552 no', true],
  ['451 4.3.0 later', true],
  ['450 4.2.1 busy', false],
  ['451 4.7.1 try later', false],
  ['550 5.1.1 who?', false],
])('%j may be said to everybody: %s', (text, is) => expect(verdict(text).refusal !== null).toBe(is));
