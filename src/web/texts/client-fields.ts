import type { RefusalCode } from '../../domain/codes';
import type { FieldType } from '../../domain/client-fields';
import type { SubscriptionStatus } from '../../domain/subscription';
import type { Widened } from './widened';
import { countEn, countRu } from './plural';

/** What pages say about the fields and tags of clients. */

const clientsEn = (n: number) => countEn(n, 'client', 'clients');
const clientsRu = (n: number) => countRu(n, 'клиент', 'клиента', 'клиентов');

export const fieldsEn = {
  title: 'Fields',
  about:
    'What you want to know about your clients besides name and address. A new field can be used at once: in the form of a client, in lists, in files and in messages.',
  new: 'New field',
  edit: 'Edit field',
  empty: 'You have no fields of your own yet.',
  label: 'Name',
  labelHint: 'Shown in forms and lists, for example “City”.',
  key: 'Key',
  keyHint: 'Latin letters, digits and underscores. Messages use it: {{ client.city }}. It cannot be changed later.',
  type: 'Type',
  typeHint: 'It cannot be changed later.',
  types: {
    text: 'Text',
    number: 'Number',
    date: 'Date',
    boolean: 'Yes or no',
    choice: 'Choice',
  } satisfies Record<FieldType, string>,
  options: 'Options',
  optionsHint: 'Only for a choice. One in each line.',
  optionsLines: 'One in each line.',
  up: 'Up',
  down: 'Down',
  upOf: (label: string) => `Move “${label}” up`,
  downOf: (label: string) => `Move “${label}” down`,
  order: 'Order',
  archived: 'Archived',
  archive: 'Archive',
  archiveText: 'It disappears from forms, lists and new messages. Its values stay.',
  restore: 'Restore',
  deleteQuestion: (label: string) => `Delete the field “${label}”?`,
  deleteText: 'Its values are deleted from all your clients. This cannot be undone.',
  yes: 'Yes',
  no: 'No',
  none: '–',
  usedBy: (names: string) => `It is still used by: ${names}. Remove it there first, or wait until that is done.`,
  use: {
    message: (name: string) => `message “${name}”`,
    segment: (name: string) => `segment “${name}”`,
    run: (name: string) => `letters of “${name}” that are going out`,
    job: (_: string) => 'an action on many clients that is under way',
  },
  optionInUse: (n: number) =>
    `${clientsEn(n)} ${n === 1 ? 'has' : 'have'} an option that you left out. Put it back, or change these clients first.`,
  columns: 'Columns',
  showColumns: 'Show',
};

export const tagsEn = {
  title: 'Tags',
  about:
    'Labels by which you group clients. Clients get them in their form, by an action on many clients, by an import, or when they sign up.',
  new: 'New tag',
  edit: 'Edit tag',
  empty: 'You have no tags yet.',
  search: 'Name',
  name: 'Name',
  tag: 'Tag',
  clients: 'Clients',
  count: clientsEn,
  public: 'Topic',
  publicHint: 'A topic is a tag that people may choose and leave themselves.',
  isPublic: 'Topic',
  hint: 'Separated by commas. Tags that do not exist yet are made.',
  yours: 'Your tags',
  merge: 'Merge into another tag',
  mergeText: 'Its clients get the other tag instead, and this one is deleted.',
  into: 'The other tag',
  mergeButton: 'Merge',
  deleteQuestion: (name: string) => `Delete the tag “${name}”?`,
  deleteText: (n: number) => `${clientsEn(n)} ${n === 1 ? 'loses' : 'lose'} it; nobody is deleted.`,
  show: 'Show these clients',
};

export const subscriptionEn: Record<SubscriptionStatus, string> = {
  subscribed: 'Subscribed',
  unsubscribed: 'Unsubscribed',
  unconfirmed: 'Not confirmed yet',
  bounced: 'Bounced',
  complained: 'Complained',
  suppressed: 'Excluded',
};

type Refusals = Pick<
  Record<RefusalCode, string>,
  'FIELDS_FULL' | 'FIELD_EXISTS' | 'FIELD_IN_USE' | 'FIELD_OPTION_IN_USE' | 'TAGS_FULL' | 'TAG_EXISTS' | 'TAG_IN_USE'
>;

export const fieldRefusalsEn: Refusals = {
  FIELDS_FULL: 'You have as many fields as are allowed. Delete one first.',
  FIELD_EXISTS: 'There is a field with this key already.',
  FIELD_IN_USE: 'Messages or segments use this field. Change them first.',
  FIELD_OPTION_IN_USE: 'Clients have an option that you left out. Put it back, or change these clients first.',
  TAGS_FULL: 'You have as many tags as are allowed. Merge or delete some first.',
  TAG_EXISTS: 'There is a tag with this name already.',
  TAG_IN_USE: 'Segments use this tag. Change them first.',
};

export const fieldsRu: Widened<typeof fieldsEn> = {
  title: 'Поля',
  about:
    'Что вы хотите знать о клиентах, кроме имени и адреса. Новое поле сразу можно использовать: в форме клиента, в списках, в файлах и в сообщениях.',
  new: 'Новое поле',
  edit: 'Изменить поле',
  empty: 'Своих полей пока нет.',
  label: 'Название',
  labelHint: 'Видно в формах и списках, например «Город».',
  key: 'Ключ',
  keyHint: 'Латинские буквы, цифры и подчёркивания. Нужен в сообщениях: {{ client.city }}. Потом его не изменить.',
  type: 'Тип',
  typeHint: 'Потом его не изменить.',
  types: { text: 'Текст', number: 'Число', date: 'Дата', boolean: 'Да или нет', choice: 'Выбор' },
  options: 'Варианты',
  optionsHint: 'Только для выбора. По одному в строке.',
  optionsLines: 'По одному в строке.',
  up: 'Выше',
  down: 'Ниже',
  upOf: (label) => `Поднять «${label}» выше`,
  downOf: (label) => `Опустить «${label}» ниже`,
  order: 'Порядок',
  archived: 'В архиве',
  archive: 'В архив',
  archiveText: 'Поле исчезнет из форм, списков и новых сообщений. Значения останутся.',
  restore: 'Вернуть из архива',
  deleteQuestion: (label) => `Удалить поле «${label}»?`,
  deleteText: 'Его значения удалятся у всех ваших клиентов. Отменить это нельзя.',
  yes: 'Да',
  no: 'Нет',
  none: '–',
  usedBy: (names) => `Ещё используется: ${names}. Сначала уберите его оттуда или подождите, пока это закончится.`,
  use: {
    message: (name) => `сообщение «${name}»`,
    segment: (name) => `сегмент «${name}»`,
    run: (name) => `письма «${name}», которые сейчас уходят`,
    job: () => 'массовое действие с клиентами, которое выполняется',
  },
  optionInUse: (n) =>
    `Убранный вариант указан у клиентов: ${n.toLocaleString('ru')}. Верните его или сначала измените этих клиентов.`,
  columns: 'Столбцы',
  showColumns: 'Показать',
};

export const tagsRu: Widened<typeof tagsEn> = {
  title: 'Теги',
  about:
    'По тегам вы группируете клиентов. Тег ставят в форме клиента, массовым действием, при импорте или при подписке через форму.',
  new: 'Новый тег',
  edit: 'Изменить тег',
  empty: 'Тегов пока нет.',
  search: 'Название',
  name: 'Название',
  tag: 'Тег',
  clients: 'Клиенты',
  count: clientsRu,
  public: 'Тема',
  publicHint: 'Тема — это тег, который люди могут сами выбрать и сами снять.',
  isPublic: 'Тема',
  hint: 'Через запятую; новые теги создадутся сами.',
  yours: 'Ваши теги',
  merge: 'Объединить с другим тегом',
  mergeText: 'Клиенты получат другой тег вместо этого, а этот будет удалён.',
  into: 'Другой тег',
  mergeButton: 'Объединить',
  deleteQuestion: (name) => `Удалить тег «${name}»?`,
  deleteText: (n) => `Тег исчезнет у клиентов (${n.toLocaleString('ru')}); сами клиенты останутся.`,
  show: 'Показать этих клиентов',
};

export const subscriptionRu: Record<SubscriptionStatus, string> = {
  subscribed: 'Подписан',
  unsubscribed: 'Отписан',
  unconfirmed: 'Не подтверждён',
  bounced: 'Письма возвращаются',
  complained: 'Пожаловался',
  suppressed: 'Исключён',
};

export const fieldRefusalsRu: Refusals = {
  FIELDS_FULL: 'Больше полей завести нельзя. Сначала удалите какое-нибудь.',
  FIELD_EXISTS: 'Поле с таким ключом уже есть.',
  FIELD_IN_USE: 'Это поле используется в сообщениях или сегментах. Сначала измените их.',
  FIELD_OPTION_IN_USE: 'Убранный вариант указан у клиентов. Верните его или сначала измените этих клиентов.',
  TAGS_FULL: 'Больше тегов завести нельзя. Сначала объедините или удалите какие-нибудь.',
  TAG_EXISTS: 'Тег с таким названием уже есть.',
  TAG_IN_USE: 'Этот тег используется в сегментах. Сначала измените их.',
};
