import type { BuiltInField, Operator } from '../../domain/segment-filter';
import type { SubscriptionStatus } from '../../domain/subscription';
import { countEn, countRu } from './plural';

const lastDaysEn = (n: number) => (n === 1 ? 'in the last day' : `in the last ${countEn(n, 'day', 'days')}`);
const lastDaysRu = (n: number) => (n === 1 ? 'за последний день' : `за последние ${countRu(n, 'день', 'дня', 'дней')}`);

/** What the pages of segments say, and filters in words. */
export const segmentsEn = {
  title: 'Segments',
  one: 'Segment',
  new: 'New segment',
  edit: 'Edit segment',
  search: 'Name',
  empty:
    'You have no segments yet. A segment finds clients by what you know about them: for example those from one city, or those who got nothing for a month.',
  filter: 'Who belongs to it',
  usedBy: 'Used by',
  mailings: (n: number) => countEn(n, 'mailing', 'mailings'),
  unused: 'No mailing uses it.',
  showClients: 'Show these clients',
  newMailing: 'New mailing to it',
  name: 'Name',
  match: { all: 'All of these conditions hold', any: 'At least one of these conditions holds' },
  group: (n: number) => `Group ${n}`,
  matchOf: 'In this group',
  condition: (n: number) => `Condition ${n}`,
  fieldLabel: 'Field',
  opLabel: 'Comparison',
  valueLabel: 'Value',
  mailingLabel: 'Mailing',
  daysLabel: 'How many days',
  daysAround: { before: 'in the last', after: 'days' },
  anyMailing: 'Any mailing',
  separated: 'Separate several values by commas.',
  add: 'Add a condition',
  addGroup: 'Add a group',
  removeOne: (what: string) => `Remove: ${what}`,
  remove: 'Remove',
  removeGroup: 'Remove the group',
  kept: 'This part was made through the API. It stays as it is.',
  refresh: 'Update the form',
  check: 'Check who belongs to it',
  notHint: '“Is not” also finds clients whose field is empty: “City is not Moscow” finds those without a city.',
  counting: 'Counting…',
  tooSlow: 'It takes too long to count them. A mailing to this segment is possible all the same.',
  firstOnes: 'The first of them',
  found: (n: number) => `${countEn(n, 'client belongs', 'clients belong')} to it now.`,
  nobody: 'Nobody belongs to it now.',
  deleteQuestion: 'Delete this segment?',
  deleteText: 'Nothing else changes: sendings keep the conditions that they began with.',
  choose: 'Choose a segment',
  noSegments: 'There is no segment yet.',
  except: 'Except a segment',
  exceptHint: 'Whoever belongs to it does not get the mailing.',
  exceptNobody: 'Nobody is left out',
  now: (n: number) => `${countEn(n, 'person', 'people')} at present.`,
  to: 'To the segment',
  leftOut: 'Left out',
  yes: 'yes',
  no: 'no',
  fields: {
    email: 'E-mail',
    domain: 'Domain of the address',
    fullName: 'Full name',
    comment: 'Comment',
    createdAt: 'Added',
    tag: 'Tag',
    subscription: 'Subscription',
    received: 'Got a mailing',
    notReceived: 'Did not get a mailing',
    lastResult: 'Last letter',
  } satisfies Record<BuiltInField, string>,
  subscription: {
    subscribed: 'subscribed',
    unsubscribed: 'unsubscribed',
    unconfirmed: 'not confirmed yet',
    bounced: 'bounced',
    complained: 'complained',
    suppressed: 'excluded for another reason',
  } satisfies Record<SubscriptionStatus, string>,
  ops: {
    is: 'is',
    isNot: 'is not',
    isOneOf: 'is one of',
    contains: 'contains',
    startsWith: 'begins with',
    endsWith: 'ends with',
    isSet: 'is filled in',
    isNotSet: 'is empty',
    before: 'before',
    after: 'after',
    inLastDays: 'in the last days',
    notInLastDays: 'not in the last days',
    lt: 'less than',
    lte: 'at most',
    gt: 'more than',
    gte: 'at least',
  } satisfies Record<Operator, string>,
  says: (field: string, op: Operator, value: string): string => {
    if (op === 'inLastDays') return `${field} ${lastDaysEn(Number(value))}`;
    if (op === 'notInLastDays') return `${field} not ${lastDaysEn(Number(value))}`;
    return `${field} ${segmentsEn.ops[op]} ${value}`.trim();
  },
  got: (received: boolean, mailing: string | null, days: number | null): string =>
    [
      received ? 'got' : 'did not get',
      mailing === null ? 'any mailing' : `“${mailing}”`,
      ...(days === null ? [] : [lastDaysEn(days)]),
    ].join(' '),
  and: ' and ',
  or: ' or ',
  not: (inner: string) => `not (${inner})`,
};

export const segmentsRu: SegmentTexts = {
  title: 'Сегменты',
  one: 'Сегмент',
  new: 'Новый сегмент',
  edit: 'Изменить сегмент',
  search: 'Название',
  empty:
    'Сегментов пока нет. Сегмент находит клиентов по тому, что вы о них знаете: например, всех из одного города или тех, кто месяц не получал писем.',
  filter: 'Кто в него входит',
  usedBy: 'Где используется',
  mailings: (n) => countRu(n, 'рассылка', 'рассылки', 'рассылок'),
  unused: 'Ни одна рассылка его не использует.',
  showClients: 'Показать этих клиентов',
  newMailing: 'Новая рассылка этому сегменту',
  name: 'Название',
  match: { all: 'Выполнены все условия', any: 'Выполнено хотя бы одно условие' },
  group: (n) => `Группа ${n}`,
  matchOf: 'В этой группе',
  condition: (n) => `Условие ${n}`,
  fieldLabel: 'Поле',
  opLabel: 'Сравнение',
  valueLabel: 'Значение',
  mailingLabel: 'Рассылка',
  daysLabel: 'Сколько дней',
  daysAround: { before: 'за последние', after: 'дней' },
  anyMailing: 'Любая рассылка',
  separated: 'Несколько значений разделяйте запятыми.',
  add: 'Добавить условие',
  addGroup: 'Добавить группу',
  removeOne: (what) => `Убрать: ${what}`,
  remove: 'Убрать',
  removeGroup: 'Убрать группу',
  kept: 'Эта часть создана через API и останется как есть.',
  refresh: 'Обновить форму',
  check: 'Проверить, кто в него входит',
  notHint: '«Не равно» находит и тех, у кого поле пусто: «Город — не Москва» находит и клиентов без города.',
  counting: 'Считаем…',
  tooSlow:
    'Посчитать не удалось: это занимает слишком много времени. Рассылку этому сегменту всё равно можно отправить.',
  firstOnes: 'Первые из них',
  found: (n) => `Сейчас в нём ${countRu(n, 'клиент', 'клиента', 'клиентов')}.`,
  nobody: 'Сейчас в нём никого нет.',
  deleteQuestion: 'Удалить этот сегмент?',
  deleteText: 'Больше ничего не изменится: отправки хранят условия, с которыми начались.',
  choose: 'Выберите сегмент',
  noSegments: 'Сегментов пока нет.',
  except: 'Кроме сегмента',
  exceptHint: 'Кто в него входит, рассылку не получит.',
  exceptNobody: 'Никого не исключать',
  now: (n) => `Сейчас это ${countRu(n, 'получатель', 'получателя', 'получателей')}.`,
  to: 'Сегменту',
  leftOut: 'Кроме',
  yes: 'да',
  no: 'нет',
  fields: {
    email: 'Эл. почта',
    domain: 'Домен адреса',
    fullName: 'Полное имя',
    comment: 'Комментарий',
    createdAt: 'Добавлен',
    tag: 'Тег',
    subscription: 'Подписка',
    received: 'Получал рассылку',
    notReceived: 'Не получал рассылку',
    lastResult: 'Последнее письмо',
  },
  subscription: {
    subscribed: 'подписан',
    unsubscribed: 'отписался',
    unconfirmed: 'не подтвердил адрес',
    bounced: 'письма возвращаются',
    complained: 'пожаловался',
    suppressed: 'исключён по другой причине',
  },
  ops: {
    is: 'равно',
    isNot: 'не равно',
    isOneOf: 'одно из',
    contains: 'содержит',
    startsWith: 'начинается с',
    endsWith: 'заканчивается на',
    isSet: 'заполнено',
    isNotSet: 'не заполнено',
    before: 'раньше',
    after: 'позже',
    inLastDays: 'за последние дни',
    notInLastDays: 'не за последние дни',
    lt: 'меньше',
    lte: 'не больше',
    gt: 'больше',
    gte: 'не меньше',
  },
  says: (field, op, value) => {
    if (op === 'is') return `${field} — ${value}`;
    if (op === 'isNot') return `${field} — не ${value}`;
    if (op === 'isOneOf') return `${field} — одно из: ${value}`;
    if (op === 'isSet' || op === 'isNotSet') return `${field}: ${segmentsRu.ops[op]}`;
    if (op === 'inLastDays') return `${field} ${lastDaysRu(Number(value))}`;
    if (op === 'notInLastDays') return `${field} не ${lastDaysRu(Number(value))}`;
    return `${field} ${segmentsRu.ops[op]} ${value}`;
  },
  got: (received, mailing, days) =>
    [
      received ? 'получал' : 'не получал',
      mailing === null ? (received ? 'какую-нибудь рассылку' : 'никаких рассылок') : `рассылку «${mailing}»`,
      ...(days === null ? [] : [lastDaysRu(days)]),
    ].join(' '),
  and: ' и ',
  or: ' или ',
  not: (inner) => `не (${inner})`,
};

type Same<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => string
    ? (...args: A) => string
    : T[K] extends string
      ? string
      : Same<T[K]>;
};
export type SegmentTexts = Same<typeof segmentsEn>;
