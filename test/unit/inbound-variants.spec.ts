import {
  decide,
  type InboundEnvelope,
  type InboundVerdict,
  type Match,
  unwrap,
} from '../../src/domain/inbound-decision';
import { dsn, plain, RCPT, returned, VERP } from '../support/inbound-letters';

const MATCH: Match = { by: 'verp', deliveryId: 7, email: RCPT };
const ENVELOPE: InboundEnvelope = {
  from: '',
  toKind: 'bounce',
  isFeedbackAddress: false,
  sender: VERP,
};
const judge = async (raw: Buffer, envelope: Partial<InboundEnvelope> = {}, match: Match | null = MATCH) =>
  decide(await unwrap(raw), { ...ENVELOPE, ...envelope }, match);
type Expected = [kind: InboundVerdict['kind'], reason: string, enhanced: string | null, blame?: string | null];
const shown = ({ kind, reason, enhancedCode, blame }: InboundVerdict) => [kind, reason, enhancedCode, blame];
const wanted = ([kind, reason, enhanced, blame = kind === 'hard' ? 'recipient' : null]: Expected) => [
  kind,
  reason,
  enhanced,
  blame,
];
const EXIM_COPY = '\n------ This is a copy of the message, including all the headers. ------\n\n';

describe('delivery reports', () => {
  test.each<[name: string, raw: Buffer, ...Expected]>([
    ['no Diagnostic-Code', dsn({ status: '5.1.1' }), 'hard', 'user_unknown', '5.1.1'],
    ['only a Status', dsn({ status: '5.1.2' }), 'hard', 'domain_unknown', '5.1.2'],
    [
      'a comment behind the Status',
      dsn({ status: '5.1.1 (bad destination mailbox address)' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'no Action',
      dsn({ status_part: `Final-Recipient: rfc822; ${RCPT}\r\nStatus: 5.1.1\r\n` }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    ['Action in capitals', dsn({ action: 'FAILED', status: '5.1.1' }), 'hard', 'user_unknown', '5.1.1'],
    ['delivered', dsn({ action: 'delivered', status: '2.0.0' }), 'ignore', 'delivered', '2.0.0'],
    ['expanded', dsn({ action: 'expanded', status: '2.0.0' }), 'ignore', 'expanded', '2.0.0'],
    [
      'delayed',
      dsn({ action: 'delayed', status: '4.2.0', diagnostic: 'smtp; 450 4.2.0 greylisted' }),
      'ignore',
      'delayed',
      '4.2.0',
    ],
    [
      'greylisted for days',
      dsn({ status: '4.2.0', diagnostic: 'smtp; 450 4.2.0 Greylisted, try again' }),
      'soft',
      'greylisted',
      '4.2.0',
      'recipient',
    ],
    [
      'Status 5.1.1, but the server said only that it is unavailable',
      dsn({ status: '5.1.1', diagnostic: 'smtp; 550 Requested action not taken: mailbox unavailable' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'a bare "mailbox unavailable"',
      dsn({ status: '5.0.0', diagnostic: 'smtp; 550 Requested action not taken: mailbox unavailable' }),
      'soft',
      'user_unknown',
      '5.0.0',
      'recipient',
    ],
    ['no words at all', dsn({ status: '5.0.0' }), 'soft', 'undetermined', '5.0.0'],
    [
      '5.7.1, but no such user',
      dsn({ status: '5.7.1', diagnostic: 'smtp; 550 5.7.1 No such user!' }),
      'hard',
      'user_unknown',
      '5.7.1',
    ],
    [
      '5.1.0 about the sender',
      dsn({ status: '5.1.0', diagnostic: 'smtp; 554 5.1.0 Sender address rejected' }),
      'soft',
      'sender_refused',
      '5.1.0',
      'sender',
    ],
    [
      'no such domain of the sender',
      dsn({ status: '5.1.8', diagnostic: 'smtp; 553 5.1.8 Domain of sender address does not exist' }),
      'soft',
      'sender_refused',
      '5.1.8',
      'sender',
    ],
    [
      'a loop',
      dsn({ status: '5.4.6', diagnostic: 'smtp; 554 5.4.6 Too many hops' }),
      'soft',
      'mail_loop',
      '5.4.6',
      'recipient',
    ],
    [
      'Exchange: a loop',
      dsn({ status: '5.4.14', diagnostic: 'smtp;554 5.4.14 Hop count exceeded - possible mail loop ATTR34' }),
      'soft',
      'mail_loop',
      '5.4.14',
      'recipient',
    ],
    [
      'Exchange: expired',
      dsn({ status: '4.4.7', diagnostic: 'smtp;550 4.4.7 QUEUE.Expired; message expired' }),
      'soft',
      'expired',
      '4.4.7',
      'recipient',
    ],
    [
      'Exchange: expired under 5.4.300',
      dsn({ status: '5.4.300', diagnostic: 'smtp;550 5.4.300 Message expired -> 451 4.7.500 Server busy' }),
      'soft',
      'expired',
      '5.4.300',
      'recipient',
    ],
    [
      'Exchange: domain unknown',
      dsn({ status: '5.4.310', diagnostic: 'smtp;550 5.4.310 DNS domain client.example does not exist' }),
      'hard',
      'domain_unknown',
      '5.4.310',
    ],
    [
      'Exchange: access denied by a directory',
      dsn({ status: '5.4.1', diagnostic: 'smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281)' }),
      'hard',
      'user_unknown',
      '5.4.1',
    ],
    [
      'Exchange: only members may write',
      dsn({
        status: '5.7.133',
        diagnostic: 'smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required',
      }),
      'soft',
      'policy_refused',
      '5.7.133',
      'sender',
    ],
    [
      'Exchange: our IP is banned',
      dsn({ status: '5.7.606', diagnostic: 'smtp;550 5.7.606 Access denied, banned sending IP [203.0.113.5]' }),
      'soft',
      'sender_blocked',
      '5.7.606',
      'sender',
    ],
    [
      'Gmail: unauthenticated',
      dsn({
        status: '5.7.26',
        diagnostic:
          'smtp; 550-5.7.26 Your email has been blocked because the sender is unauthenticated.\r\n 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\r\n 550 5.7.26 abc - gsmtp',
      }),
      'soft',
      'sender_unauthenticated',
      '5.7.26',
      'sender',
    ],
    [
      'Gmail: spam',
      dsn({
        status: '5.7.1',
        diagnostic:
          'smtp; 550-5.7.1 [203.0.113.5] Our system has detected that this message is likely\r\n 550-5.7.1 unsolicited mail. To reduce the amount of spam sent to Gmail,\r\n 550 5.7.1 this message has been blocked.',
      }),
      'soft',
      'content_refused',
      '5.7.1',
      'sender',
    ],
    [
      'Gmail: disabled',
      dsn({
        status: '5.2.1',
        diagnostic:
          'smtp; 550-5.2.1 The email account that you tried to reach is inactive. For more\r\n 550 5.2.1 information, go to https://support.example/6596 - gsmtp',
      }),
      'hard',
      'mailbox_disabled',
      '5.2.1',
    ],
    [
      'Gmail: too many letters to this user',
      dsn({
        status: '5.2.1',
        diagnostic:
          'smtp; 450-4.2.1 The user you are trying to contact is receiving mail at a rate that\r\n 450 4.2.1 prevents additional messages from being delivered.',
      }),
      'soft',
      'recipient_deferred',
      '4.2.1',
      'recipient',
    ],
    [
      'Yahoo: disabled',
      dsn({
        status: '5.0.0',
        diagnostic:
          'smtp; 554 30 Sorry, your message to anna.k@client.example cannot be delivered. This mailbox is disabled (554.30).',
      }),
      'hard',
      'mailbox_disabled',
      '5.0.0',
    ],
    [
      'IronPort: codes behind its own',
      dsn({
        status: '5.1.0',
        diagnostic:
          "smtp; 5.1.0 - Unknown address error 550-'5.1.1 <anna.k@client.example>: User unknown' (delivery attempts: 0)",
      }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'Domino',
      dsn({
        status: '5.0.0',
        diagnostic: 'X-Notes; User anna.k (anna.k@client.example) not listed in Domino Directory',
      }),
      'hard',
      'user_unknown',
      '5.0.0',
    ],
    [
      'full, in German',
      dsn({ status: '5.0.0', diagnostic: 'smtp; 550 Das Postfach ist voll' }),
      'soft',
      'mailbox_full',
      '5.0.0',
      'recipient',
    ],
    [
      'too large',
      dsn({ status: '5.3.4', diagnostic: 'smtp; 552 5.3.4 Message size exceeds fixed maximum message size' }),
      'soft',
      'message_too_large',
      '5.3.4',
      'sender',
    ],
    ['base64', dsn({ status: '5.1.1', encoding: 'base64' }), 'hard', 'user_unknown', '5.1.1'],
    [
      'RFC 6533',
      dsn({ final: 'utf-8; anna.k@client.example', status: '5.1.1', type: 'message/global-delivery-status' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'xtext in Original-Recipient',
      dsn({ final: 'rfc822; box@mx.client.example', original: 'rfc822;anna+2Ek@client.example', status: '5.1.1' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'angle brackets and capitals',
      dsn({ final: 'RFC822;<Anna.K@Client.Example>', status: '5.1.1' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'a report under a wrong type',
      dsn({ status: '5.1.1', type: 'application/octet-stream' }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'a forward failed',
      dsn({ final: 'rfc822; anna@elsewhere.example', status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 user unknown' }),
      'soft',
      'forward_failed',
      '5.1.1',
      'recipient',
    ],
    [
      'several recipients: ours is delayed',
      dsn({
        status_part: `Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; other@client.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\nFinal-Recipient: rfc822; ${RCPT}\r\nAction: delayed\r\nStatus: 4.4.1\r\n`,
      }),
      'ignore',
      'delayed',
      '4.4.1',
    ],
    [
      'several recipients without empty lines',
      dsn({
        status_part: `Final-Recipient: rfc822; other@client.example\r\nAction: delayed\r\nStatus: 4.4.1\r\nFinal-Recipient: rfc822; ${RCPT}\r\nAction: failed\r\nStatus: 5.1.1\r\n`,
      }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'our DNS is at fault',
      dsn({
        status: '5.7.25',
        diagnostic: 'smtp; 550 5.7.25 [203.0.113.5] The IP address sending this message does not have a PTR record',
      }),
      'soft',
      'sender_unauthenticated',
      '5.7.25',
      'sender',
    ],
    [
      'a policy with the name of the address',
      dsn({
        status: '5.7.1',
        diagnostic:
          'smtp; 550 5.7.1 <anna.k@client.example>: Recipient address rejected: Message rejected due to SPF policy',
      }),
      'soft',
      'sender_unauthenticated',
      '5.7.1',
      'sender',
    ],
    [
      'relay denied',
      dsn({ status: '5.7.1', diagnostic: 'smtp; 550 5.7.1 Relaying denied' }),
      'soft',
      'relay_denied',
      '5.7.1',
      'sender',
    ],
    [
      'no MX at all',
      dsn({ status: '5.1.10', diagnostic: 'smtp; 556 5.1.10 Recipient address has null MX' }),
      'hard',
      'domain_unknown',
      '5.1.10',
    ],
    [
      'name service error, temporary',
      dsn({
        status: '4.4.3',
        diagnostic:
          'X-Postfix; Host or domain name not found. Name service error for name=client.example type=MX: Host not found, try again',
      }),
      'soft',
      'expired',
      '4.4.3',
      'recipient',
    ],
    [
      'connection refused for days',
      dsn({ status: '4.4.1', diagnostic: 'X-Postfix; connect to mx.client.example[192.0.2.1]:25: Connection refused' }),
      'soft',
      'expired',
      '4.4.1',
      'recipient',
    ],
    [
      'a number for all failures, and words only for people',
      dsn({ action: 'error', status: '5.0.0', text: `It came back:\n\n${RCPT}: Domain does not exist\n` }),
      'hard',
      'domain_unknown',
      '5.0.0',
    ],
    [
      'words instead of a Status, and more of them for people',
      dsn({
        action: 'failure',
        status: '553 Too much',
        text: 'The letter has exceeded the maximum incoming message size.',
      }),
      'soft',
      'message_too_large',
      null,
      'sender',
    ],
    [
      'no recipient, no sender, a subject of its own: by its type alone',
      dsn({
        from: '',
        subject: 'Annuaire',
        status_part: 'Reporting-MTA: mimesweeper.example',
        text: `A letter did not reach:\n${RCPT}\nL'adresse de messagerie ci-dessus n'existe pas.`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
  ])('%s', async (_, raw, ...expected) => expect(shown(await judge(raw))).toEqual(wanted(expected)));
});

describe('addresses that pass letters on', () => {
  const group = (email: string, of: Parameters<typeof dsn>[0]) =>
    judge(dsn({ original: `rfc822;${email}`, status: '5.1.1', ...of }), {}, { ...MATCH, email });
  const team = 'team@client.example';
  const block = (final: string) =>
    `Final-Recipient: rfc822; ${final}\r\nOriginal-Recipient: rfc822;${team}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n`;
  const said = (final: string) => `<${final}> (expanded from <Team@client.example>): unknown user`;

  test.each<[name: string, of: Parameters<typeof dsn>[0], kind: string, reason: string]>([
    [
      'a member left',
      { final: 'rfc822; bob@client.example', text: said('bob@client.example') },
      'soft',
      'forward_failed',
    ],
    ['a member elsewhere left', { final: 'rfc822; bob@mail.example' }, 'soft', 'forward_failed'],
    [
      'a member at a host of the organisation left',
      { final: 'rfc822; bob@box.client.example', text: said('bob@box.client.example') },
      'soft',
      'forward_failed',
    ],
    [
      'several members left',
      { status_part: `${block('bob@client.example')}${block('eve@client.example')}` },
      'soft',
      'forward_failed',
    ],
    ['an alias, of which nothing is said', { final: 'rfc822; bob@client.example' }, 'hard', 'user_unknown'],
    ['the address itself', { final: `rfc822; ${team.toUpperCase()}` }, 'hard', 'user_unknown'],
  ])('%s', async (_, of, kind, reason) => expect(await group(team, of)).toMatchObject({ kind, reason }));

  test.each([
    ['Exim', 'bob@client.example\n    (ultimately generated from team@client.example)\n    550 5.1.1 unknown user'],
    [
      'sendmail',
      'bob@client.example\n    (reason: 550 5.1.1 User unknown)\n    (expanded from: <team@client.example>)',
    ],
    ['Postfix', `${said('bob@client.example')}`],
  ])('in the words of %s', async (_, text) =>
    expect(await judge(plain({ text: `It failed:\n\n${text}\n` }), {}, { ...MATCH, email: team })).toMatchObject({
      kind: 'soft',
      reason: 'forward_failed',
    }),
  );
});

describe('reports for people', () => {
  const exim = (said: string) =>
    plain({
      extra: `X-Failed-Recipients: ${RCPT}`,
      text: `This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  ${RCPT}\n    ${said}\n${EXIM_COPY}${returned()}`,
    });
  const qmail = (said: string) =>
    plain({
      from: 'MAILER-DAEMON@qmail.example',
      subject: 'failure notice',
      text: `Hi. This is the qmail-send program at qmail.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<${RCPT}>:\n${said}\n\n--- Below this line is a copy of the message.\n\n${returned()}`,
    });
  test.each<[name: string, raw: Buffer, ...Expected]>([
    ['Exim: unrouteable', exim('Unrouteable address'), 'hard', 'user_unknown', null],
    ['Exim: full', exim('mailbox is full: retry timeout exceeded'), 'soft', 'mailbox_full', null, 'recipient'],
    ['Exim: no host', exim('all relevant MX records point to non-existent hosts'), 'hard', 'domain_unknown', null],
    [
      'Exim: blocked',
      exim(
        'host mx.client.example [192.0.2.1]\n    SMTP error from remote mail server after MAIL FROM:<bounces@news.example.org>:\n    550 5.7.1 Service unavailable; client [203.0.113.5] blocked using zen.example',
      ),
      'soft',
      'sender_blocked',
      '5.7.1',
      'sender',
    ],
    [
      'Exim: retry time not reached',
      exim('retry time not reached for any host after a long failure period'),
      'soft',
      'expired',
      null,
      'recipient',
    ],
    [
      'Exim: full at the server',
      exim(
        'host mx.client.example [192.0.2.1]\n    SMTP error from remote mail server after end of data:\n    552 5.2.2 Mailbox full',
      ),
      'soft',
      'mailbox_full',
      '5.2.2',
      'recipient',
    ],
    [
      'Exim: delayed',
      plain({
        subject: 'Warning: message 1abc-0001 delayed 24 hours',
        extra: 'Auto-Submitted: auto-replied',
        text: `This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on exim.example.\n\nThe address to which the message has not yet been delivered is:\n\n  ${RCPT}\n    Delay reason: Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n`,
      }),
      'ignore',
      'delayed',
      null,
    ],
    [
      'qmail: remote host said',
      qmail(
        '192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 <anna.k@client.example>: Recipient address rejected: User unknown\nGiving up on 192.0.2.1.',
      ),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'qmail: expired',
      qmail(
        "192.0.2.1 failed after I sent the message.\nRemote host said: 451 4.3.0 Try later\nI'm not going to try again; this message has been in the queue too long.",
      ),
      'soft',
      'expired',
      '4.3.0',
      'recipient',
    ],
    [
      'qmail: no host',
      qmail("Sorry, I couldn't find any host named client.example. (#5.1.2)"),
      'hard',
      'domain_unknown',
      '5.1.2',
    ],
    [
      'qmail: full',
      qmail('The users mailfolder is over the allowed quota (size). (#5.2.2)'),
      'soft',
      'mailbox_full',
      '5.2.2',
      'recipient',
    ],
    [
      'Postfix, only its text',
      plain({
        from: 'MAILER-DAEMON@relay.example (Mail Delivery System)',
        text: `This is the mail system at host relay.example.\n\n<${RCPT}>: host mx.client.example[192.0.2.1] said: 550-5.1.1 The email account that you\n    tried to reach does not exist. 550 5.1.1 NoSuchUser (in reply to RCPT TO command)\n`,
      }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'Gmail in HTML',
      plain({
        from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.example>',
        subject: 'Delivery Status Notification (Failure)',
        type: 'text/html; charset=utf-8',
        text: `<html><body><h1>Address not found</h1><p>Your message wasn't delivered to <b>${RCPT}</b> because the address couldn't be found, or is unable to receive mail.</p></body></html>`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
    [
      'Exchange in English',
      plain({
        from: 'Microsoft Outlook <MicrosoftExchange329e71@tenant.example>',
        subject: 'Undeliverable: News',
        text: `Delivery has failed to these recipients or groups:\n\n${RCPT}\nThe email address you entered couldn't be found. Please check the recipient's email address and try to resend the message.\n\nDiagnostic information for administrators:\nGenerating server: EX01\n${RCPT}\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\n${returned()}`,
      }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'Exchange in German',
      plain({
        from: 'postmaster@tenant.example',
        subject: 'Unzustellbar: News',
        text: `Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\n${RCPT}\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
    [
      'Exchange in French',
      plain({
        from: 'postmaster@tenant.example',
        subject: 'Non remis : News',
        text: `Échec de la remise pour ces destinataires ou groupes :\n\n${RCPT}\nL’adresse de messagerie que vous avez entrée est introuvable.\n`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
    [
      'Exchange in Spanish',
      plain({
        from: 'postmaster@tenant.example',
        subject: 'No se puede entregar: News',
        text: `Error de entrega a estos destinatarios o grupos:\n\n${RCPT}\nNo se encontró la dirección de correo electrónico que ha escrito.\n`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
    [
      'Exchange in Russian, full',
      plain({
        from: 'postmaster@tenant.example',
        subject: 'Не удается доставить: Новости',
        text: `Сбой доставки следующим получателям или группам:\n\n${RCPT}\nПочтовый ящик получателя переполнен и не может принимать сообщения.\n`,
      }),
      'soft',
      'mailbox_full',
      null,
      'recipient',
    ],
    [
      'Mail.ru: disabled',
      plain({
        from: 'mailer-daemon@corp.mail.example',
        subject: 'Mail failure.',
        extra: `X-Failed-Recipients: ${RCPT}`,
        text: `К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n  ${RCPT}\n    SMTP error from remote mail server after RCPT TO:<${RCPT}>:\n    host mxs.mail.example [192.0.2.31]: 550 5.1.1 Account is disabled\n${EXIM_COPY}${returned()}`,
      }),
      'hard',
      'mailbox_disabled',
      '5.1.1',
    ],
    [
      'Yandex',
      plain({
        from: 'mailer-daemon@yandex.example',
        subject: 'Недоставленное сообщение',
        text: `Это письмо отправлено почтовым сервером.\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может быть отправлено одному или нескольким адресатам.\n\n<${RCPT}>: host mx.yandex.example[192.0.2.5] said: 550 5.7.1 No such user! 1700000000-abc (in reply to RCPT TO command)\n`,
      }),
      'hard',
      'user_unknown',
      '5.7.1',
    ],
    [
      'delayed, in Russian',
      plain({
        from: 'mailer-daemon@ru.example',
        subject: 'Письмо задерживается',
        text: `Ваше письмо для ${RCPT} пока не доставлено: сервер получателя не отвечает. Попытки доставки будут продолжены в течение 3 дней.\n`,
      }),
      'ignore',
      'delayed',
      null,
    ],
    [
      'two addresses: the other one is unknown, ours is full',
      plain({
        extra: `X-Failed-Recipients: other@client.example, ${RCPT}`,
        text: `The following addresses failed:\n\n  other@client.example\n    550 5.1.1 User unknown\n\n  ${RCPT}\n    552 5.2.2 Over quota\n`,
      }),
      'soft',
      'mailbox_full',
      '5.2.2',
      'recipient',
    ],
    [
      "words of the letter's own subject",
      plain({
        text: `Your message\n\n  To:      Anna\n  Subject: Spam and a virus in my mailbox\n  Sent:    Monday\n\ndid not reach the following recipient:\n\n${RCPT}\n    The recipient name is not recognized\n`,
      }),
      'hard',
      'user_unknown',
      null,
    ],
    ['an id that is none', plain({ text: `Invalid final delivery userid: ${RCPT}\n` }), 'hard', 'user_unknown', null],
    [
      'a way that is not found is not an address',
      plain({
        text: `Delivery was aborted after 5 hours:\n\n  ${RCPT}\n\nRouting: could not find a gateway for ${RCPT}\n`,
      }),
      'soft',
      'undetermined',
      null,
      null,
    ],
    [
      'days without an answer',
      plain({ text: `The message to ${RCPT} failed because it has not been collected after 30 days\n` }),
      'soft',
      'expired',
      null,
      'recipient',
    ],
    ['many attempts', plain({ text: `Delivery failed 20 attempts: ${RCPT}\n` }), 'soft', 'expired', null, 'recipient'],
    [
      'could not be delivered yet',
      plain({
        text: `Your message could not be delivered to:\n\n${RCPT}\n\nPlease do not resend it.\nDelivery attempts will continue to be made for 5 days.\n`,
      }),
      'ignore',
      'delayed',
      null,
    ],
    [
      'only words that say nothing',
      plain({
        from: 'postmaster@x.example',
        subject: 'Delivery failure',
        text: `Your message to ${RCPT} was not delivered.\n`,
      }),
      'soft',
      'undetermined',
      null,
    ],
    [
      'words of the copy do not count',
      plain({
        from: 'postmaster@x.example',
        subject: 'Delivery failure',
        text: `Your message to ${RCPT} was not delivered.\n\n----- Original message -----\n${returned()}`,
      }),
      'soft',
      'undetermined',
      null,
    ],
    [
      'a report as text',
      plain({
        from: 'postmaster@x.example',
        text: `Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ${RCPT}\nAction: failed\nStatus: 5.1.1\n`,
      }),
      'hard',
      'user_unknown',
      '5.1.1',
    ],
    [
      'delivered',
      plain({
        from: 'postmaster@x.example',
        subject: 'Relayed: News',
        text: `Your message was successfully delivered to ${RCPT}.\n`,
      }),
      'ignore',
      'delivered',
      null,
    ],
  ])('%s', async (_, raw, ...expected) => expect(shown(await judge(raw))).toEqual(wanted(expected)));
});

describe('answers, complaints and the rest', () => {
  const person = 'Anna <anna.k@client.example>';
  test.each<[name: string, raw: Buffer, ...Expected]>([
    [
      'vacation, German',
      plain({
        from: person,
        subject: 'Abwesenheitsnotiz: News',
        text: 'Ich bin bis 7.12. im Urlaub. Benutzer unbekannt.',
      }),
      'auto-reply',
      'out_of_office',
      null,
    ],
    [
      'vacation, French, marked',
      plain({
        from: person,
        subject: 'News',
        extra: 'Auto-Submitted: auto-replied (vacation)',
        text: 'Je suis absent du bureau.',
      }),
      'auto-reply',
      'out_of_office',
      null,
    ],
    [
      'vacation that looks like a bounce',
      plain({ from: person, subject: 'Automatic reply: Undelivered Mail', text: '550 5.1.1 User unknown' }),
      'auto-reply',
      'out_of_office',
      null,
    ],
    [
      'a ticket',
      plain({
        from: 'Support <help@client.example>',
        subject: 'We got your request [#550]',
        extra: 'Auto-Submitted: auto-generated',
        text: 'Thank you.',
      }),
      'auto-reply',
      'auto_reply',
      null,
    ],
    [
      'Precedence: auto_reply',
      plain({ from: person, subject: 'Re: News', extra: 'Precedence: auto_reply', text: 'I am away until Monday.' }),
      'auto-reply',
      'out_of_office',
      null,
    ],
    [
      'a challenge',
      plain({ from: 'confirm-1@client.example', subject: 'Please confirm your message', text: 'Click.' }),
      'auto-reply',
      'challenge',
      null,
    ],
    [
      'read receipt',
      plain({
        from: person,
        subject: 'Read: News',
        type: 'multipart/report; report-type=disposition-notification; boundary=B',
        text: '--B\n\nread\n--B\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; anna.k@client.example\nDisposition: manual-action/MDN-sent-manually; displayed\n--B--',
      }),
      'ignore',
      'disposition',
      null,
    ],
    [
      'an answer',
      plain({
        from: person,
        subject: 'Re: News',
        extra: 'In-Reply-To: <0123456789abcdef0123456789abcdef@news.example.org>',
        text: '550 5.1.1 user unknown',
      }),
      'ignore',
      'human',
      null,
    ],
  ])('%s', async (_, raw, ...expected) =>
    expect(shown(await judge(raw, { from: 'anna.k@client.example' }))).toEqual(wanted(expected)),
  );

  const arf = (type: string) =>
    dsn({
      type: 'message/feedback-report',
      status_part: `Feedback-Type: ${type}\r\nVersion: 1\r\n`,
      from: 'fbl@provider.example',
    });
  test.each([
    ['abuse', 'complaint', 'abuse'],
    ['ABUSE', 'complaint', 'abuse'],
    ['fraud', 'complaint', 'fraud'],
    ['opt-out', 'unsubscribe', 'opt_out'],
    ['not-spam', 'ignore', 'not_spam'],
    ['virus', 'ignore', 'feedback_other'],
    ['auth-failure', 'ignore', 'feedback_other'],
    ['other', 'ignore', 'feedback_other'],
  ])('feedback of the type %s', async (type, kind, reason) =>
    expect(await judge(arf(type), { from: 'fbl@provider.example' })).toMatchObject({ kind, reason }),
  );

  test('a complaint about a letter that is not ours', async () =>
    expect(await judge(arf('abuse'), {}, null)).toMatchObject({ kind: 'ignore', reason: 'not_ours', match: null }));

  test('a letter of ours, enclosed and sent to the address of complaints', async () => {
    const raw = dsn({
      type: 'text/plain',
      status_part: 'complaint',
      from: 'staff@hotmail.com',
      subject: 'complaint about message',
    });
    expect(await judge(raw, { from: 'staff@hotmail.com', toKind: null, isFeedbackAddress: true })).toMatchObject({
      kind: 'complaint',
    });
    expect(await judge(raw, { from: 'staff@hotmail.com' })).toMatchObject({ kind: 'ignore' });
  });

  test('people who forward a letter of ours there do not complain', async () => {
    const raw = dsn({ type: 'text/plain', status_part: 'look', from: 'Anna <anna@outlook.com>', subject: 'Fwd: News' });
    expect(await judge(raw, { from: 'anna@outlook.com', toKind: null, isFeedbackAddress: true })).toMatchObject({
      kind: 'ignore',
      match: null,
    });
  });

  test('bounces at the address of complaints are nothing', async () =>
    expect(await judge(dsn({ status: '5.1.1' }), { toKind: null, isFeedbackAddress: true })).toMatchObject({
      kind: 'ignore',
      match: null,
    }));

  test.each([
    ['anna.k@client.example', '', 'unsubscribe', 'mailto'],
    ['', '', 'ignore', 'auto_submitted'],
    ['anna.k@client.example', 'Auto-Submitted: auto-replied', 'ignore', 'auto_submitted'],
  ])('to the address to unsubscribe, from <%s> %s', async (from, extra, kind, reason) => {
    const raw = plain({ from: person, subject: 'unsubscribe', text: '', ...(extra !== '' && { extra }) });
    expect(await judge(raw, { from, toKind: 'unsubscribe' })).toMatchObject({ kind, reason });
  });

  test.each([
    ['postmaster@firm.example', '', 'unsubscribe'],
    ['Postmaster@Firm.Example', '', 'unsubscribe'],
    ['postmaster@firm.example', 'Auto-Submitted: auto-generated', 'ignore'],
    ['mailer-daemon@firm.example', '', 'ignore'],
  ])(
    'to the address to unsubscribe, of a letter to postmaster@firm.example, from <%s> %s',
    async (from, extra, kind) => {
      const raw = plain({ from, subject: 'unsubscribe', text: '', ...(extra !== '' && { extra }) });
      const match: Match = { ...MATCH, by: 'unsubscribe-token', email: 'postmaster@firm.example' };
      expect(await judge(raw, { from, toKind: 'unsubscribe' }, match)).toMatchObject({ kind });
      // Servers have no sender to whom anybody could write.
      expect(await judge(raw, { from: '', toKind: 'unsubscribe' }, match)).toMatchObject({ kind: 'ignore' });
    },
  );

  test('a report of DMARC in a zip file', async () => {
    const raw = plain({
      from: 'noreply@provider.example',
      subject: 'x',
      type: 'application/zip; name="provider.example!news.example.org!1700000000!1700086399.zip"',
      text: 'UEs=',
    });
    expect(await judge(raw, {}, null)).toMatchObject({ kind: 'ignore', reason: 'dmarc_report' });
  });

  test('a report inside of a letter inside of a letter', async () => {
    const wrap = (inner: string) =>
      `From: admin@relay.example\r\nSubject: Fwd: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="N${inner.length}"\r\n\r\n--N${inner.length}\r\n\r\nsee below\r\n--N${inner.length}\r\nContent-Type: message/rfc822\r\n\r\n${inner}\r\n--N${inner.length}--\r\n`;
    const raw = Buffer.from(wrap(wrap(dsn({ status: '5.1.1' }).toString())));
    expect(await judge(raw, { from: 'admin@relay.example' })).toMatchObject({ kind: 'hard', reason: 'user_unknown' });
  });

  test('the report of a letter that was cut', async () => {
    const whole = dsn({ status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 user unknown' });
    const cut = whole.subarray(0, whole.indexOf('user unknown') + 4);
    expect(await judge(cut)).toMatchObject({ kind: 'hard', reason: 'user_unknown', enhancedCode: '5.1.1' });
  });
});
