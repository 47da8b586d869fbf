import type { Finding, FindingCode, FindingLevel } from '../../domain/preflight';
import { findingTexts } from '../../domain/preflight-texts';
import { countEn, countRu } from './plural';
import type { Widened } from './widened';

/** What the check before letters go out has found, for pages. */

type Values = Finding['values'];
type Texts = Record<FindingCode, (values: Values) => string>;

export const findingsEn: Texts = {
  ...findingTexts,
  POSTAL_ADDRESS_MISSING: () =>
    'The letters have no postal address, which the law requires; without it they do not go out.',
  PUBLIC_URL_NOT_HTTPS: ({ url }) =>
    `The links to unsubscribe begin with ${url}, and mail programs accept only https. Whoever runs the service can correct this: the setting PUBLIC_URL.`,
  NOBODY_ELIGIBLE: () => 'Nobody would get it: all recipients are excluded.',
};

export const preflightEn = {
  levels: { block: 'Blocks', warn: 'Warning', unknown: 'Not known' } satisfies Record<FindingLevel, string>,
  more: (n: number) =>
    countEn(n, 'remark that does not keep it from going out', 'remarks that do not keep it from going out'),
  publish: 'DNS record to publish',
};

export const preflightRu: Widened<typeof preflightEn> = {
  levels: { block: 'Не даёт отправить', warn: 'Предупреждение', unknown: 'Неизвестно' },
  more: (n) =>
    countRu(
      n,
      'замечание, которое не мешает отправить',
      'замечания, которые не мешают отправить',
      'замечаний, которые не мешают отправить',
    ),
  publish: 'Запись DNS, которую нужно добавить',
};

export const findingsRu: Texts = {
  POSTAL_ADDRESS_MISSING: () => 'В письмах нет почтового адреса, которого требует закон: без него они не отправляются.',
  TEMPLATE_FAILED: () => 'Из этого сообщения нельзя составить письмо: исправьте его.',
  UNSUBSCRIBE_HIDDEN: () =>
    'Получатель не увидит, как отписаться: в конце сообщения не закрыт комментарий или элемент. Закройте его.',
  TEXT_EMPTY: () =>
    'Текстовая часть письма пуста: спам-фильтры и те, кто читает простой текст, не увидят ничего. Добавьте текст или ' +
    'подписи к картинкам (alt).',
  PUBLIC_URL_NOT_HTTPS: ({ url }) =>
    `Ссылки для отписки начинаются с ${url}, а почтовые программы принимают только https. Это исправляет тот, кто обслуживает сервис: настройка PUBLIC_URL.`,
  AUDIENCE_NOT_COUNTED: () =>
    'Посчитать получателей не удалось: это занимает слишком много времени. Отправить рассылку всё равно можно.',
  NOBODY_ELIGIBLE: () => 'Никто не получит письмо: все получатели исключены.',

  FROM_UNREACHABLE: ({ domain }) =>
    `${domain} не принимает почту (нет ни записи MX, ни A): ответы не дойдут, и многие серверы отвергают такого ` +
    'отправителя. Добавьте запись MX или отправляйте с другого домена.',
  SPF_MISSING: ({ name, record }) =>
    `У ${name} нет записи SPF: серверы не знают, что ваш почтовый сервер вправе отправлять от его имени. Добавьте её` +
    `${String(record).includes('…') ? ' с адресом, с которого уходят ваши письма' : ''}.`,
  SPF_SEVERAL: ({ domain, found }) =>
    `У ${domain} несколько записей SPF (${found}), поэтому ни одна не действует. Объедините их в одну.`,
  SPF_BROKEN: ({ domain, fault, at }) =>
    `Запись SPF домена ${domain} не действует: ${spfFault(String(fault), at)}. Исправьте её.`,
  SPF_LOOKUPS: ({ domain, lookups, max }) =>
    `Запись SPF домена ${domain} требует запросов к DNS: ${lookups}. Если их больше ${max}, серверы считают её ` +
    'ошибочной: уберите службы, которыми больше не пользуетесь, или укажите адреса (ip4:, ip6:).',
  DKIM_OFF: ({ domain }) =>
    `Письма здесь не подписываются. Если их не подписывает от имени ${domain} ваш почтовый сервер, крупные почтовые службы не ` +
    'примут рассылку. Настройки DKIM_DOMAIN и DKIM_PRIVATE_KEY.',
  DKIM_MISSING: ({ name }) => `Ключ подписи DKIM не опубликован: у ${name} нет записи TXT. Добавьте её.`,
  DKIM_DIFFERENT: ({ name }) =>
    `В ${name} опубликован не тот ключ, которым подписываются письма: ни одна подпись не пройдёт проверку. ` +
    'Опубликуйте этот или укажите закрытый ключ, который ему соответствует.',
  DKIM_SHORT: ({ selector, bits }) => `Ключ ${selector} слишком короткий: ${bits} бит. Сегодня нужно 2048.`,
  DKIM_ED25519_ALONE: () =>
    'Единственный ключ DKIM — Ed25519, а его знают не все получатели: для остальных письма не подписаны. Добавьте ключ ' +
    'RSA (DKIM_PRIVATE_KEY_2).',
  DMARC_MISSING: ({ name }) =>
    `Нет записи DMARC, которую крупные почтовые службы требуют от рассылок. Добавьте её под именем ${name}; p=none ничего не ` +
    'меняет для остальной почты.',
  DMARC_BROKEN: ({ name, found }) =>
    Number(found) > 1
      ? `Под именем ${name} несколько записей DMARC (${found}), поэтому ни одна не действует. Оставьте одну.`
      : `В записи DMARC под именем ${name} нет известной политики: её как будто нет. Исправьте запись.`,
  NOT_ALIGNED: ({ domain, envelope, dkim }) =>
    dkim === ''
      ? `Обратный адрес конверта (Return-Path) — в домене ${envelope}, а письма здесь не подписываются: если их не подписывает от имени ${domain} ваш почтовый ` +
        'сервер, проверку DMARC они не пройдут. Убедитесь, что подписывает, или задайте DKIM_DOMAIN и DKIM_PRIVATE_KEY.'
      : `За домен отправителя ${domain} никто не ручается: обратный адрес конверта (Return-Path) — в домене ${envelope}, подпись — от ${dkim}. Проверку DMARC ` +
        `не пройдёт ни одно письмо. Подписывайте письма ключом домена ${domain}.`,
  PTR_MISSING: ({ ip }) =>
    `У адреса ${ip} нет имени (PTR): многие серверы не примут с него почту. Имя назначает ваш провайдер.`,
  PTR_DIFFERENT: ({ ip, host }) =>
    `Адрес ${ip} называется ${host} (PTR), но это имя к нему не ведёт. Дайте имени этот адрес или исправьте PTR.`,
  RELAY_WITHOUT_TLS: ({ host }) =>
    `Письма могут уйти на ${host} без TLS, и в пути их можно прочитать. Пусть SMTP_URL начинается с smtps://, или ` +
    'добавьте requireTLS=true.',
  FBL_NOT_ALIGNED: ({ address, domain }) =>
    `В письмах не указан адрес для жалоб ${address}: адрес должен быть в домене ${domain} или ниже, и письма должны быть ` +
    'подписаны от его имени. Измените FBL_ADDRESS или DKIM_DOMAIN.',
  DNS_UNANSWERED: ({ names }) => `DNS не ответил вовремя, поэтому неизвестно: ${names}.`,

  ATTACHMENTS_LARGE: ({ megabytes, max }) =>
    `Вложения занимают ${megabytes} МБ: письма больше ${max} МБ многие серверы не принимают. Дайте вместо них ссылку.`,
  HTML_LONG: ({ kilobytes, max }) =>
    `HTML занимает ${kilobytes} КБ. Gmail обрезает письма после ${max} КБ, и с концом пропадает ссылка для отписки. ` +
    'Сократите письмо.',
  IMAGES_WITHOUT_ALT: ({ n }) =>
    `Картинки без подписи (alt): ${n}. Где картинки не показываются, на их месте пусто. Подпишите их или укажите alt="".`,
  MOSTLY_PICTURES: ({ percent }) =>
    `Около ${percent} % письма занимают картинки, как часто бывает в спаме. Скажите главное текстом.`,
  LINK_TEXT_DIFFERENT: ({ text, host, n }) =>
    `На ссылке написано ${text}, а ведёт она на ${host}, как в письмах мошенников${more(n)}. Напишите вместо адреса слова или ` +
    'дайте прямую ссылку.',
  SHORT_LINKS: ({ example, n }) =>
    `Есть сокращённая ссылка (${example}${more(n)}), а спам-фильтры таким не доверяют. Дайте прямую ссылку на страницу.`,
  HTTP_LINKS: ({ example, n }) => `Не все ссылки и картинки — https (${example}${more(n)}). Используйте https.`,
  FOREIGN_TAGS: ({ example, meant }) =>
    `В письме стоит ${example}: так подставляет данные другой сервис, и люди прочтут это как есть.` +
    (meant === '' ? '' : ` Возможно, имелось в виду {{ ${meant} }}?`),
  DATA_IMAGES: ({ n }) =>
    `Картинки, вложенные в само письмо (data:): ${n}. Gmail и другие их не показывают. Загружайте их по https.`,
  SPAM_SCORE: ({ score, max, tests }) =>
    `SpamAssassin даёт письму ${comma(score)}, а спамом считает всё от ${max}${tests === '' ? '' : `: ${tests}`}.`,
  SPAM_UNANSWERED: () => 'Фильтр спама (SPAMD) не ответил вовремя, оценка неизвестна.',

  PROOF_FAILED: ({ n }) =>
    `Последнее проверочное письмо пришло не таким, каким было отправлено; не пройдено проверок: ${n}. Что делать, сказано на его ` +
    'странице («Состояние», «Проверочное письмо»).',
  PROOF_MISSING: () =>
    'Не проверено, что происходит с письмами в пути: с нынешними настройками ни одно проверочное письмо не возвращалось. ' +
    'Отправить его может менеджер («Состояние», «Проверочное письмо»).',

  NEW_ADDRESSES: ({ percent, max }) =>
    `${comma(percent)} % получателей ещё не получали отсюда писем (больше ${max} %). Почтовые службы задерживают тех, кто ` +
    'вдруг пишет на множество новых адресов: начните с части.',
  LAST_RUN_BOUNCED: ({ percent, max }) =>
    `В прошлый раз ${comma(percent)} % адресов не существовало (больше ${max} %). Проверьте, откуда они взяты.`,
  LAST_RUN_COMPLAINED: ({ percent, max }) =>
    `В прошлый раз ${comma(percent)} % получателей пожаловались на спам (больше ${comma(max)} %). Пишите только тем, кто об ` +
    'этом просил.',
};

const more = (n: string | number | undefined) => (Number(n) > 1 ? `, и ещё ${Number(n) - 1}` : '');
const comma = (n: string | number | undefined) => String(n).replace('.', ',');

function spfFault(fault: string, at: string | number | undefined): string {
  if (fault === 'syntax') return `в ней непонятное слово «${at}»`;
  if (fault === 'circle') return `она ссылается на ${at}, а та — снова на неё`;
  return `она ссылается на ${at}, а там нет записи SPF или их несколько`;
}
