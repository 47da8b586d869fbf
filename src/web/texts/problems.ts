import { problemTexts } from '../../domain/problem-texts';
import type { ProblemTexts, WorkbookFault } from '../../domain/problems';
import { documentEn, documentRu } from './letter-document';
import { emailFaultsEn, emailFaultsRu } from './addresses';
import { mediaProblemsEn, mediaProblemsRu } from './media';
import { countEn, countRu, sizeEn, sizeRu } from './plural';

type Place = { line?: number; column?: number };
const lineEn = (line: number) => (line > 1 ? `Line ${line}: ` : '');
const lineRu = (line: number) => (line > 1 ? `Строка ${line}: ` : '');
const placeEn = ({ line, column }: Place) => (line === undefined ? '' : `Line ${line}, column ${column}: `);
const placeRu = ({ line, column }: Place) => (line === undefined ? '' : `Строка ${line}, знак ${column}: `);

const dateEn = () => 'A date and time, please.';
const templateEn = (words: string) => `What stands in {{ }} or {% %} cannot be read (${words}).`;
const headerEn = ({ line }: { line: number }) =>
  `${lineEn(line)}The first line must name the columns: email, full_name and, if you like, comment.`;
const chooseEn = () => 'Choose one of those on offer.';
const noRowsEn = () => 'There are no clients in the file.';
const againEn = () => 'The upload broke off. Nothing was changed; please upload the file again.';
const unfitEn = () => 'This value does not fit.';
const controlsEn = () => 'It contains invisible control characters. Type it anew instead of copying it.';
const boundsEn = {
  depth: 'it is nested too deeply',
  output: 'the text becomes too long',
  steps: 'it takes too many steps',
  levels: 'too many tags within each other',
  filters: 'too many filters in one place',
  brackets: 'too many brackets within each other',
};
const TOO_MANY_EN = { fields: 'fields', options: 'options', tags: 'tags', ids: 'clients', addresses: 'addresses' };
const WORKBOOK_EN: Partial<Record<WorkbookFault, (max: number) => string>> = {
  bytes: (max) => `The workbook is larger than ${sizeEn(max)} when it is unpacked.`,
  strings: (max) => `The workbook has more than ${sizeEn(max)} of different texts.`,
};

/** The problem of a field, as shown below it. Problems that no form can cause have the API's texts. */
export const problemsEn: ProblemTexts = {
  ...problemTexts,
  required: () => 'Fill this in.',
  empty: () => 'Fill this in.',
  too_short: ({ min }) => `At least ${min} characters, please.`,
  too_long: ({ max }) => `At most ${max} characters, please.`,
  wrong_type: unfitEn,
  too_small: ({ min }) => `At least ${min}, please.`,
  too_large: ({ max }) => `At most ${max}, please.`,
  too_many: ({ max, what }) => `At most ${max} ${TOO_MANY_EN[what]} at once, please.`,
  one_of: chooseEn,
  some_of: chooseEn,
  not_one_line: () => 'Only one line, please, without invisible control characters.',
  controls: controlsEn,
  nul: controlsEn,
  broken_character: () => 'It contains a broken or invisible character. Type it anew instead of copying it.',
  cursor: () => 'This page of the list is not there any more. Begin with the first page.',
  date_time: dateEn,
  day: () => 'A day, please.',
  time_zone: () => 'There is no such time zone. Type a city and choose one that is offered, for example Europe/Athens.',
  past: () => 'It must be in the future.',
  end_before_start: () => 'The end must be later than the start.',
  to_before_from: () => 'The last day must not come before the first.',
  too_many_periods: ({ max }) => `At most ${max} periods at once, please.`,
  only_first: () => 'Only the first sending comes before the end. Choose a later end, or “Once”.',
  message_wanted: () => 'Choose a message.',
  unknown_message: () => 'Choose a message.',
  unknown_mailing: ({ id }) => `There is no mailing ${id}.`,
  unknown_client: ({ id }) => `There is no client ${id}.`,
  unknown_addresses: ({ count, shown }) =>
    `${countEn(count, 'of these is not', 'of these are not')} among your clients: ${shown.join(', ')}`,
  clients_of_all: chooseEn,
  clients_or_filter: () => 'Tick some clients, or choose all.',
  field_key: () => '1 to 40 Latin letters, digits and underscores, please, the first one a letter.',
  repeated_option: ({ option }) => `“${option}” is there twice.`,
  field_key_taken: ({ key }) => `There is a field “${key}” already.`,
  field_key_reserved: ({ key }) => `Every client has “${key}” already; choose another key.`,
  number: () => 'A number, please.',
  yes_no: () => 'Yes or no, please.',
  fields_too_long: () => 'All fields of a client together are too long. Please shorten one.',
  no_such_field: ({ key, similar }) =>
    `There is no field “${key}”.${similar === null ? '' : ` Did you mean “${similar}”?`}`,
  https_url: () => 'An address that begins with https://, please.',
  web_origin: () => 'Addresses of sites, please, such as https://shop.example, one a line.',
  tag_comma: () => 'Without commas, please: they separate tags.',
  no_other_tag: () => 'Choose another tag.',
  filter_shape: () => 'This condition cannot be read.',
  filter_empty: () => 'Add a condition.',
  filter_too_deep: ({ max }) => `At most ${max} groups within each other, please.`,
  too_many_conditions: ({ max }) => `At most ${max} conditions, please.`,
  too_many_values: ({ max }) => `At most ${max} values, please.`,
  wrong_operator: () => 'Choose a comparison that fits the field.',
  value_not_wanted: () => 'This comparison takes no value.',
  no_such_tag: ({ name, similar }) =>
    `There is no tag “${name}”.${similar === null ? '' : ` Did you mean “${similar}”?`}`,
  unknown_segment: () => 'Choose a segment.',
  segment_not_taken: chooseEn,
  segment_left_out: () => 'The mailing goes to this segment: choose another one to leave out.',
  email: ({ fault, max = 0 }) => emailFaultsEn[fault](max),
  common_password: () =>
    'Many people use this password, so it is guessed first. Choose another: a few words in a row are good.',
  own_address: () => 'This is your e-mail address or a part of it. Choose something that nobody guesses.',
  wrong_password: () => 'This is not your password.',
  wrong_code: () => 'This code is not right, or was used already. Wait for the next one.',
  too_many_tags: ({ max }) => `At most ${max} places with {{ }} or {% %}, please.`,
  too_many_words: ({ max }) => `At most ${max} names and filters within {{ }} and {% %}, please.`,
  unknown_variable: (v) =>
    `${placeEn(v)}There is no variable “${v.name}”.${v.similar === null ? '' : ` Did you mean “${v.similar}”?`}`,
  unknown_filter: (v) => `${placeEn(v)}There is no filter “${v.name}”.`,
  unknown_tag: (v) => `${placeEn(v)}There is no tag “${v.name}”.`,
  not_assignable: (v) => `${placeEn(v)}“${v.name}” cannot be given another value.`,
  template_limit: (v) => placeEn(v) + templateEn(boundsEn[v.bound]),
  template: (v) => placeEn(v) + templateEn(v.text),
  footer_hidden: () =>
    'The end of the letter is not shown, and so nobody would see the link to unsubscribe: a comment or an element is not closed.',
  ...documentEn,
  unusable: ({ fault }) => (fault === 'sender_name' ? 'Without the characters " < and >, please.' : unfitEn()),
  file_missing: () => 'Choose a file.',
  quote_open: () => 'A quotation mark is not closed.',
  quote_trailing: () =>
    'There is text after a closing quotation mark. A quotation mark inside of quotation marks must be doubled.',
  columns: ({ has, wanted }) =>
    `It has ${has} columns where the header has ${wanted}. Text with a delimiter must stand in quotation marks.`,
  repeated: ({ line }) => `It repeats the address of line ${line}.`,
  file_header: headerEn,
  file_header_long: headerEn,
  file_empty: noRowsEn,
  file_without_clients: noRowsEn,
  file_header_email: ({ line }) => `${lineEn(line)}The first line must name the columns, one of them email.`,
  file_without_addresses: () => 'There are no addresses in the file.',
  file_foreign: () => 'This file cannot be read. Save it as CSV, and upload that.',
  file_of_others: ({ lines }) =>
    `None of the first ${lines} lines is a client: they do not have the columns of the header, or their quotation marks do not match.`,
  file_too_large: ({ max }) => `The file is larger than ${sizeEn(max)}. Split it, or leave out columns.`,
  files_kept: ({ max }) =>
    `Your files that wait to be imported may have ${sizeEn(max)} together. Import them first, or wait: a file is deleted an hour after it was uploaded.`,
  upload_ended: againEn,
  upload_abandoned: againEn,
  no_email_column: () => 'Choose the column of the e-mail addresses.',
  mapped_twice: () => 'Another column is chosen for this already.',
  unknown_status: () =>
    'This word is not known. Known are for example subscribed, unsubscribed, bounced and complained.',
  workbook: (v) => WORKBOOK_EN[v.fault]?.(v.max ?? 0) ?? problemTexts.workbook(v),
  ...mediaProblemsEn,
};

const fillRu = () => 'Заполните это поле.';
const chooseRu = () => 'Выберите из предложенного.';
const messageRu = () => 'Выберите сообщение.';
const unfitRu = () => 'Такое значение не подходит.';
const templateRu = (words: string) => `Не удаётся прочитать то, что стоит в {{ }} или {% %} (${words}).`;
const controlsRu = () => 'Есть невидимые управляющие знаки. Наберите текст заново, а не копируйте.';
const headerRu = ({ line }: { line: number }) =>
  `${lineRu(line)}Первая строка должна называть столбцы: email, full_name и, если нужно, comment.`;
const noRowsRu = () => 'В файле нет клиентов.';
const againRu = () => 'Загрузка прервалась. Ничего не изменилось; загрузите файл ещё раз.';
const boundsRu = {
  depth: 'слишком глубокая вложенность',
  output: 'получается слишком длинный текст',
  steps: 'слишком много шагов',
  levels: 'слишком много тегов друг в друге',
  filters: 'слишком много фильтров в одном месте',
  brackets: 'слишком много скобок друг в друге',
};

const TOO_MANY_RU = { fields: 'полей', options: 'вариантов', tags: 'тегов', ids: 'клиентов', addresses: 'адресов' };
const WORKBOOK_RU: Record<WorkbookFault, (max: number) => string> = {
  broken: () => 'Книга Excel повреждена. Сохраните её ещё раз или сохраните как CSV.',
  no_workbook: () => 'Это архив ZIP, а не книга Excel.',
  encrypted: () => 'Книга защищена паролем. Сохраните её без пароля.',
  no_sheet: () => 'В книге нет такого листа.',
  entries: (max) => `В книге больше ${max} частей.`,
  bytes: (max) => `Распакованная книга больше ${sizeRu(max)}.`,
  strings: (max) => `В книге больше ${sizeRu(max)} разных текстов.`,
  texts: (max) => `В книге больше ${max} разных текстов.`,
  columns: (max) => `В строке книги больше ${max} столбцов.`,
};

export const problemsRu: ProblemTexts = {
  required: fillRu,
  empty: fillRu,
  wrong_type: unfitRu,
  too_short: ({ min }) => `Не меньше ${min} знаков, пожалуйста.`,
  too_long: ({ max }) => `Не больше ${max} знаков, пожалуйста.`,
  too_small: ({ min }) => `Не меньше ${min}, пожалуйста.`,
  too_large: ({ max }) => `Не больше ${max}, пожалуйста.`,
  too_many: ({ max, what }) => `Не больше ${max} ${TOO_MANY_RU[what]} сразу, пожалуйста.`,
  one_of: chooseRu,
  some_of: chooseRu,
  not_one_line: () => 'Нужна одна строка без невидимых управляющих знаков.',
  controls: controlsRu,
  nul: controlsRu,
  broken_character: () => 'Есть повреждённый или невидимый знак. Наберите текст заново, а не копируйте.',
  unknown_field: () => 'Такого поля здесь нет.',
  too_complex: unfitRu,
  idempotency_key: ({ max }) => `От 1 до ${max} видимых знаков ASCII, пожалуйста.`,
  cursor: () => 'Такой страницы списка больше нет. Начните с первой страницы.',
  verbatim: ({ text }) => text,
  date_time: () => 'Укажите дату и время.',
  day: () => 'Укажите день.',
  time_zone: () =>
    'Такого часового пояса нет. Начните вводить город по-английски и выберите из предложенных, например Europe/Moscow.',
  past: () => 'Нужно время в будущем.',
  end_before_start: () => 'Конец должен быть позже начала.',
  to_before_from: () => 'Последний день не может быть раньше первого.',
  too_many_periods: ({ max }) => `Не больше ${max} периодов сразу, пожалуйста.`,
  only_first: () => 'До конца успеет только первая отправка. Выберите более поздний конец или «Один раз».',
  message_wanted: messageRu,
  unknown_message: messageRu,
  unknown_mailing: ({ id }) => `Нет рассылки ${id}.`,
  unknown_client: ({ id }) => `Нет клиента ${id}.`,
  unknown_addresses: ({ count, shown }) =>
    `Среди ваших клиентов нет ${countRu(count, 'адреса', 'адресов', 'адресов')}: ${shown.join(', ')}`,
  clients_of_all: chooseRu,
  clients_or_filter: () => 'Отметьте клиентов или выберите всех.',
  field_key: () => 'От 1 до 40 латинских букв, цифр и подчёркиваний, в начале буква.',
  repeated_option: ({ option }) => `«${option}» указано дважды.`,
  field_key_taken: ({ key }) => `Поле «${key}» уже есть.`,
  field_key_reserved: ({ key }) => `«${key}» уже есть у каждого клиента; выберите другой ключ.`,
  number: () => 'Укажите число.',
  yes_no: () => 'Укажите «да» или «нет».',
  fields_too_long: () => 'Все поля клиента вместе слишком длинны. Сократите какое-нибудь из них.',
  no_such_field: ({ key, similar }) =>
    `Поля «${key}» нет.${similar === null ? '' : ` Возможно, имелось в виду «${similar}»?`}`,
  https_url: () => 'Адрес должен начинаться с https://.',
  web_origin: () => 'Укажите адреса сайтов вида https://shop.example, по одному в строке.',
  tag_comma: () => 'Без запятых, пожалуйста: они разделяют теги.',
  no_other_tag: () => 'Выберите другой тег.',
  filter_shape: () => 'Это условие не читается.',
  filter_empty: () => 'Добавьте условие.',
  filter_too_deep: ({ max }) => `Не больше ${max} групп друг в друге, пожалуйста.`,
  too_many_conditions: ({ max }) => `Не больше ${max} условий, пожалуйста.`,
  too_many_values: ({ max }) => `Не больше ${max} значений, пожалуйста.`,
  wrong_operator: () => 'Выберите сравнение, которое подходит к полю.',
  value_not_wanted: () => 'Этому сравнению значение не нужно.',
  no_such_tag: ({ name, similar }) =>
    `Тега «${name}» нет.${similar === null ? '' : ` Возможно, имелось в виду «${similar}»?`}`,
  unknown_segment: () => 'Выберите сегмент.',
  segment_not_taken: chooseRu,
  segment_left_out: () => 'Рассылка идёт этому сегменту: исключить можно только другой.',
  email: ({ fault, max = 0 }) => emailFaultsRu[fault](max),
  common_password: () => 'Такой пароль у многих, его угадывают первым. Выберите другой: хороши несколько слов подряд.',
  own_address: () => 'Это ваш адрес или его часть. Выберите то, чего никто не угадает.',
  wrong_password: () => 'Это не ваш пароль.',
  wrong_code: () => 'Код неверный или уже использован. Дождитесь следующего.',
  too_many_tags: ({ max }) => `Не больше ${max} мест с {{ }} или {% %}, пожалуйста.`,
  too_many_words: ({ max }) => `Не больше ${max} имён и фильтров внутри {{ }} и {% %}, пожалуйста.`,
  unknown_variable: (v) =>
    `${placeRu(v)}Нет переменной «${v.name}».` +
    (v.similar === null ? '' : ` Возможно, имелась в виду «${v.similar}»?`),
  unknown_filter: (v) => `${placeRu(v)}Нет фильтра «${v.name}».`,
  unknown_tag: (v) => `${placeRu(v)}Нет тега «${v.name}».`,
  not_assignable: (v) => `${placeRu(v)}«${v.name}» нельзя присвоить значение.`,
  template_limit: (v) => placeRu(v) + templateRu(boundsRu[v.bound]),
  template: (v) => placeRu(v) + templateRu(v.text),
  footer_hidden: () => 'Конец письма не виден, а значит, и ссылка для отписки: не закрыт комментарий или элемент.',
  ...documentRu,
  unusable: ({ fault }) => (fault === 'sender_name' ? 'Без знаков " < и >, пожалуйста.' : unfitRu()),
  file_missing: () => 'Выберите файл.',
  quote_open: () => 'Кавычка не закрыта.',
  quote_trailing: () => 'После закрывающей кавычки есть текст; кавычку внутри кавычек нужно удвоить.',
  columns: ({ has, wanted }) =>
    `Столбцов: ${has}, а в заголовке: ${wanted}. Текст с разделителем нужно взять в кавычки.`,
  repeated: ({ line }) => `Повторяет адрес из строки ${line}.`,
  file_header: headerRu,
  file_header_long: headerRu,
  file_empty: noRowsRu,
  file_without_clients: noRowsRu,
  file_header_email: ({ line }) => `${lineRu(line)}Первая строка должна называть столбцы, один из них email.`,
  file_without_addresses: () => 'В файле нет адресов.',
  file_foreign: () => 'Этот файл не читается. Сохраните его как CSV и загрузите снова.',
  file_of_others: ({ lines }) =>
    `Среди первых ${lines} строк нет ни одного клиента: в них не те столбцы, что в заголовке, или не сходятся кавычки.`,
  file_too_large: ({ max }) => `Файл больше ${sizeRu(max)}. Разделите его или уберите лишние столбцы.`,
  upload_ended: againRu,
  upload_abandoned: againRu,
  upload_failed: () => 'Файл не удалось принять: произошла ошибка сервиса. Загрузите его ещё раз.',
  no_such_column: unfitRu,
  file_expired: () => 'Столбцы файла не выбрали в течение часа. Загрузите файл ещё раз.',
  file_unreadable: () =>
    'Сервис несколько раз пытался прочитать файл, но не смог. Сохраните файл ещё раз или сохраните его как CSV.',
  files_kept: ({ max }) =>
    `Файлы, которые ждут импорта, вместе не могут быть больше ${sizeRu(max)}. Сначала импортируйте их или подождите: через час после загрузки файл удаляется.`,
  mapped_twice: () => 'Для этого уже выбран другой столбец.',
  no_email_column: () => 'Выберите столбец с адресами электронной почты.',
  unknown_status: () =>
    'Это слово здесь неизвестно. Известны, например, «подписан», «отписан», «недоступен», «жалоба».',
  tags_full: ({ max, fresh }) =>
    `Новых тегов в файле: ${fresh}. Вместе с ними тегов стало бы больше ${max}, а это предел.`,
  too_many_new_tags: ({ max }) => `В файле больше ${max} новых тегов. Тот ли это столбец?`,
  workbook: ({ fault, max = 0 }) => WORKBOOK_RU[fault](max),
  ...mediaProblemsRu,
};
