import type { ProviderName } from '../../domain/providers/provider';
import type { WebhookRefusal } from '../../features/inbound/webhook-secrets.service';
import type { Widened } from './widened';

/** What the page says of the URLs by which mail providers report. */
export const webhooksEn = {
  title: 'Reports of mail providers',
  about:
    'If letters go out through a mail provider, it can report what comes back: it calls a URL of this service (a webhook). Make a URL here and enter it there.',
  provider: 'Mail provider',
  make: 'Make a URL',
  made: 'The new URL',
  once: 'Copy it now: it is shown only once. Whoever knows it can report that letters came back, so give it to nobody else.',
  copy: 'Copy',
  more: 'Open this URL’s page',
  setupLabel: 'Where to enter it',
  setup: {
    ses: 'In Amazon SNS: make a topic, and a subscription to it with the protocol HTTPS and this URL, without raw message delivery. In Amazon SES: choose this topic for bounces and complaints of the identity, and include original headers.',
    sendgrid:
      'Settings → Mail Settings → Event Webhooks: enter this URL; choose dropped, deferred, bounced, spam reports, unsubscribes. If you switch on the signature there, enter its verification key here.',
    mailgun:
      'Send → Sending → Webhooks: enter this URL for permanent and temporary failure, spam complaints and unsubscribes. Enter the HTTP webhook signing key here.',
    postmark: 'Server → Message Stream → Webhooks: enter this URL; choose bounce, spam complaint, subscription change.',
    brevo:
      'Settings → Webhooks, transactional: enter this URL; choose hard and soft bounce, blocked, invalid, error, deferred, complaint, unsubscribed.',
    mailjet:
      'Account settings → Event notifications: enter this URL for bounce, spam, blocked and unsub; grouping may be on.',
    sparkpost:
      'Configuration → Webhooks: enter this URL; choose bounce, out-of-band, delay, policy rejection, spam complaint, list and link unsubscribe, and nothing else.',
  } satisfies Record<ProviderName, string>,
  all: 'The URLs',
  none: 'There is no URL yet.',
  lastReport: 'Last report',
  never: 'never',
  state: 'State',
  good: 'No trouble',
  refused: (why: string, when: string) => `Refused ${when}: ${why}`,
  refusal: {
    signature: 'its signature is not right',
    too_old: 'it was signed too long ago; see whether the clocks are right',
    replayed: 'its signature was used for something else before',
    key_unreadable: 'the signing key cannot be read any more, as after a change of SECRET_KEY: enter it again',
    not_json: 'it is not JSON',
    not_sns: 'it is no signed message of Amazon SNS; switch raw message delivery off there',
    foreign_host: 'it names an address that does not belong to Amazon SNS',
    foreign_topic: 'it came from another topic than the one that was confirmed first; make a URL for each topic',
    not_confirmed: 'the subscription is not confirmed; ask for the confirmation again in Amazon SNS',
  } satisfies Record<WebhookRefusal, string>,
  key: 'Signing key',
  keyHint:
    'The verification key of SendGrid, or the HTTP webhook signing key of Mailgun. Then calls without its signature are refused. Save it empty to do without.',
  keySet: 'A key is set.',
  keySave: 'Save the key',
  noSignature: 'This provider does not sign.',
  topic: (arn: string) => `Topic ${arn}`,
  unconfirmed: 'Not confirmed yet',
  delete: 'Delete',
  deleteQuestion: (provider: string) => `Delete this URL for ${provider}?`,
  deleteText: 'What the provider reports to it is refused from then on.',
};

export const webhooksRu: Widened<typeof webhooksEn> = {
  title: 'Отчёты провайдеров',
  about:
    'Если письма уходят через почтового провайдера, он может сообщать, что вернулось: он обращается по адресу (URL) этого сервиса (вебхук). Создайте адрес здесь и укажите его у провайдера.',
  provider: 'Почтовый провайдер',
  make: 'Создать адрес',
  made: 'Новый адрес',
  once: 'Скопируйте его сейчас: больше он показан не будет. Кто его знает, может сообщать о возвратах писем, поэтому никому другому его не давайте.',
  copy: 'Скопировать',
  more: 'Открыть его страницу',
  setupLabel: 'Где его указать',
  setup: {
    ses: 'В Amazon SNS создайте топик и подписку на него с протоколом HTTPS и этим адресом, без raw message delivery. В Amazon SES выберите этот топик для bounces и complaints и включите original headers.',
    sendgrid:
      'Settings → Mail Settings → Event Webhooks: укажите этот адрес и выберите dropped, deferred, bounced, spam reports, unsubscribes. Если включите там подпись, введите её verification key здесь.',
    mailgun:
      'Send → Sending → Webhooks: укажите этот адрес для permanent и temporary failure, spam complaints и unsubscribes. Введите здесь HTTP webhook signing key.',
    postmark:
      'Server → Message Stream → Webhooks: укажите этот адрес и выберите bounce, spam complaint, subscription change.',
    brevo:
      'Settings → Webhooks, transactional: укажите этот адрес и выберите hard и soft bounce, blocked, invalid, error, deferred, complaint, unsubscribed.',
    mailjet:
      'Account settings → Event notifications: укажите этот адрес для bounce, spam, blocked и unsub; можно с группировкой.',
    sparkpost:
      'Configuration → Webhooks: укажите этот адрес и выберите bounce, out-of-band, delay, policy rejection, spam complaint, list и link unsubscribe, больше ничего.',
  },
  all: 'Адреса',
  none: 'Адресов пока нет.',
  lastReport: 'Последний отчёт',
  never: 'ещё не было',
  state: 'Состояние',
  good: 'Всё в порядке',
  refused: (why: string, when: string) => `Отказ ${when}: ${why}`,
  refusal: {
    signature: 'подпись неверна',
    too_old: 'подписано слишком давно; проверьте часы',
    replayed: 'эта подпись уже использована для другого',
    key_unreadable: 'ключ подписи больше не читается, например после смены SECRET_KEY: введите его снова',
    not_json: 'это не JSON',
    not_sns: 'это не подписанное сообщение Amazon SNS; выключите там raw message delivery',
    foreign_host: 'назван адрес, который не принадлежит Amazon SNS',
    foreign_topic: 'пришло из другого топика, не из подтверждённого первым; создайте для каждого топика свой адрес',
    not_confirmed: 'подписка не подтверждена; запросите подтверждение в Amazon SNS ещё раз',
  },
  key: 'Ключ подписи',
  keyHint:
    'Verification key у SendGrid или HTTP webhook signing key у Mailgun. Тогда обращения без подписи отклоняются. Чтобы обойтись без ключа, сохраните поле пустым.',
  keySet: 'Ключ задан.',
  keySave: 'Сохранить ключ',
  noSignature: 'Этот провайдер не подписывает.',
  topic: (arn: string) => `Топик ${arn}`,
  unconfirmed: 'Ещё не подтверждено',
  delete: 'Удалить',
  deleteQuestion: (provider: string) => `Удалить этот адрес для ${provider}?`,
  deleteText: 'Что провайдер сообщит по нему, с этого момента отклоняется.',
};
