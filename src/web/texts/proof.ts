import type { ProofCheck, ProofFault, ProofResult } from '../../domain/proof';
import type { ProofState } from '../../features/inbound/proof-letters.service';
import type { Widened } from './widened';

/** What the page of the proof letter says: what each check means, and what to do. */
export const proofEn = {
  title: 'Proof letter',
  about:
    'The service sends a letter to itself, through your mail server and back, and looks at what arrives: the only way to see what really becomes of letters on the way.',
  send: 'Send a proof letter',
  again: 'Send another one',
  open: 'What a proof letter shows',
  none: 'None was sent yet.',
  noAddress:
    'A proof letter has to come back, and nothing can come back yet. Whoever runs the service sets BOUNCE_ADDRESS and a way in for letters to it (docs/inbound.md).',
  state: {
    waiting: 'Waiting to be sent',
    sent: 'On its way',
    lost: 'Has not come back',
    refused: 'Was not taken',
    returned: 'Came back',
    bounced: 'Could not be delivered',
  } satisfies Record<ProofState, string>,
  says: {
    waiting: 'A worker sends it in a moment, unless the mail server rests at present.',
    sent: 'The mail server took it. It should be back within a minute or two; this page shows it by itself.',
    lost: 'It is not back after 15 minutes. Letters to BOUNCE_ADDRESS do not reach this service, so bounces and complaints do not either: check the MX of its domain, subaddressing (+), and the way in (docs/inbound.md). If it was never sent, see the mail server’s state.',
    refused: 'The mail server did not take it, or could not be reached. What it said stands below.',
    returned: 'What arrived is compared with what was sent.',
    bounced: 'A report came instead of the letter. What it says stands below.',
  } satisfies Record<ProofState, string>,
  old: 'The settings of the mail server, the sender or the keys were changed since: send another one.',
  asked: 'Asked for',
  sentAt: 'Sent',
  returnedAt: 'Came back',
  answer: 'Answer',
  result: { ok: 'OK', failed: 'Failed', unknown: 'Not known' } satisfies Record<ProofResult, string>,
  checks: 'What arrived',
  check: {
    signature: 'DKIM signature',
    text: 'Letters of other scripts',
    message_id: 'Message-ID',
    envelope: 'Envelope sender',
    unsubscribe: 'One-click unsubscribe',
    sender: 'From',
    receivers: 'What receivers say',
  } satisfies Record<ProofCheck, string>,
  ok: {
    signature: 'Arrived whole: receivers can verify it.',
    text: 'Umlauts, Cyrillic and Chinese arrived as they were written.',
    message_id: 'Kept: reports are matched to their letters.',
    envelope: 'Kept: bounces come back with the token that says whose they are.',
    unsubscribe: 'Both header fields arrived and are signed.',
    sender: 'Kept: readers see your sender.',
    receivers: 'None of them complains.',
  } satisfies Record<ProofCheck, string>,
  bad: {
    signature: 'The signature did not survive.',
    text: 'The text was damaged on the way: some server converts letters wrongly.',
    message_id:
      'Your mail server replaces the Message-ID. Reports without a token cannot be matched by it; use BOUNCE_ADDRESS, whose token says which letter it was.',
    envelope:
      'Your mail server replaces the envelope sender, so tokens are lost. Leave BOUNCE_ADDRESS empty and hand in the reports that it gives you, or have it allow your own envelope sender (“return path”, “MAIL FROM domain”).',
    unsubscribe: 'Mail programs will not show their button to unsubscribe.',
    sender:
      'Your mail server replaces From. Readers see another sender, and DMARC fails: have it send for this address.',
    receivers: 'A receiver found something wrong with SPF, DKIM or DMARC: check the DNS records of the sender.',
  } satisfies Record<ProofCheck, string>,
  fault: {
    no_key:
      'No DKIM key is set here, so nothing is signed. Your mail server may sign by itself: see what receivers say.',
    missing: 'It did not arrive: a server on the way removes it.',
    body: 'The text was changed on the way (a footer, another encoding). Have your mail server leave letters as they are.',
    header: 'A signed header field was changed or added on the way. Have your mail server leave letters as they are.',
    changed: '',
    not_told: 'The way in does not say which envelope sender the letter had: pass it on (--from, ?from=).',
    not_covered: 'No good signature covers them: see the DKIM signature.',
    none_spoke: 'No server on the way has left an Authentication-Results field.',
    refused_by_receiver: '',
  } satisfies Record<ProofFault, string>,
  meaning: 'What it means',
  found: 'Found',
  neverProved: 'Not proven: no proof letter came back with the present settings.',
  proved: (ago: string) => `Proven ${ago} by a letter that came back.`,
};

export const proofRu: Widened<typeof proofEn> = {
  title: 'Проверочное письмо',
  about:
    'Сервис отправляет письмо самому себе, через ваш почтовый сервер и обратно, и смотрит, что пришло: только так видно, что релей на самом деле делает с письмами.',
  send: 'Отправить проверочное письмо',
  again: 'Отправить ещё одно',
  open: 'Что показывает проверочное письмо',
  none: 'Ни одно ещё не отправлялось.',
  noAddress:
    'Проверочное письмо должно вернуться, а возвращаться пока некуда. Тот, кто обслуживает сервис, задаёт BOUNCE_ADDRESS и способ приёма писем на него (docs/inbound.md).',
  state: {
    waiting: 'Ждёт отправки',
    sent: 'В пути',
    lost: 'Не вернулось',
    refused: 'Не принято',
    returned: 'Вернулось',
    bounced: 'Не доставлено',
  },
  says: {
    waiting: 'Отправится через мгновение, если почтовый сервер сейчас не отдыхает.',
    sent: 'Почтовый сервер принял его. Оно должно вернуться через минуту-другую; страница покажет это сама.',
    lost: 'За 15 минут не вернулось. Письма на BOUNCE_ADDRESS не доходят до сервиса, а значит, и возвраты с жалобами тоже: проверьте MX домена, адреса с «+» и способ приёма (docs/inbound.md). Если письмо не отправилось, смотрите состояние почтового сервера.',
    refused: 'Почтовый сервер не принял его или недоступен. Его ответ ниже.',
    returned: 'Пришедшее сравнивается с отправленным.',
    bounced: 'Вместо письма пришёл отчёт. Что в нём сказано, смотрите ниже.',
  },
  old: 'С тех пор изменились настройки почтового сервера, отправителя или ключей: отправьте ещё одно.',
  asked: 'Запрошено',
  sentAt: 'Отправлено',
  returnedAt: 'Вернулось',
  answer: 'Ответ',
  result: { ok: 'В порядке', failed: 'Не в порядке', unknown: 'Неизвестно' },
  checks: 'Что пришло',
  check: {
    signature: 'Подпись DKIM',
    text: 'Буквы разных письменностей',
    message_id: 'Номер письма (Message-ID)',
    envelope: 'Отправитель на конверте',
    unsubscribe: 'Отписка одним нажатием',
    sender: 'Отправитель (From)',
    receivers: 'Что говорят получатели',
  },
  ok: {
    signature: 'Дошла целой: получатели могут её проверить.',
    text: 'Умлауты, кириллица и иероглифы пришли такими, какими были.',
    message_id: 'Сохранён: отчёты находят свои письма.',
    envelope: 'Сохранён: возвраты приходят с кодом, по которому видно, чьи они.',
    unsubscribe: 'Оба поля заголовка дошли и подписаны.',
    sender: 'Сохранено: читатели видят вашего отправителя.',
    receivers: 'Ни один ни на что не жалуется.',
  },
  bad: {
    signature: 'Подпись не уцелела.',
    text: 'Текст повреждён в пути: какой-то сервер неправильно перекодирует письма.',
    message_id:
      'Ваш релей заменяет Message-ID. По нему отчёты без кода в адресе не сопоставить; задайте BOUNCE_ADDRESS, код в нём говорит, какое это было письмо.',
    envelope:
      'Ваш релей заменяет отправителя на конверте, и коды в адресах теряются. Оставьте BOUNCE_ADDRESS пустым и передавайте сервису отчёты, которые даёт релей, или разрешите в релее своего отправителя на конверте («return path», «MAIL FROM domain»).',
    unsubscribe: 'Почтовые программы не покажут кнопку отписки.',
    sender:
      'Ваш релей заменяет From. Читатели видят другого отправителя, и DMARC не сходится: разрешите в релее отправку с этого адреса.',
    receivers: 'Получателя что-то не устроило в SPF, DKIM или DMARC: проверьте записи DNS отправителя.',
  },
  fault: {
    no_key:
      'Ключ DKIM здесь не задан, поэтому подписи нет. Релей может подписывать сам: смотрите, что говорят получатели.',
    missing: 'Не дошло: какой-то сервер в пути это удаляет.',
    body: 'Текст изменён в пути (приписка, другая кодировка). Пусть релей не трогает письма.',
    header: 'Подписанное поле заголовка изменено или добавлено в пути. Пусть релей не трогает письма.',
    changed: '',
    not_told: 'Способ приёма не говорит, какой отправитель был на конверте: передавайте его (--from, ?from=).',
    not_covered: 'Их не покрывает ни одна целая подпись: смотрите подпись DKIM.',
    none_spoke: 'Ни один сервер в пути не оставил поля Authentication-Results.',
    refused_by_receiver: '',
  },
  meaning: 'Что это значит',
  found: 'Найдено',
  neverProved: 'Не проверено: с нынешними настройками ни одно проверочное письмо не возвращалось.',
  proved: (ago: string) => `Проверено письмом, которое вернулось ${ago}.`,
};
