import type { ProblemValues } from '../../domain/problems';
import type { Widened } from './widened';
import { countEn, countRu } from './plural';

const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);
const millions = (pixels: number): number => Math.round(pixels / 1_000_000);
const kinds = 'JPEG, PNG, GIF, WebP';

/** What pages say of pictures and attachments. */
export const mediaEn = {
  title: 'Pictures',
  about: 'Pictures for your messages. They are made smaller for letters, and without the place where they were taken.',
  files: 'Picture files',
  filesHint: `${kinds}, at most 10 MB each. You may choose several.`,
  upload: 'Upload',
  refused: (name: string) => `“${name}” was not added, nor was any file after it.`,
  search: 'File name or description',
  empty: 'You have no pictures yet.',
  alt: 'Description',
  altHint: 'Read out to those who do not see the picture, and shown where pictures are off. Messages begin with it.',
  noAlt: 'No description yet',
  size: (width: number, height: number, kilobytes: number) => `${width} × ${height}, ${kilobytes} KB`,
  usedIn: 'Used in',
  logo: 'The logo of your letters',
  unused: 'Not used; removed after 30 days without a use',
  address: 'Address, for HTML',
  deleteQuestion: 'Delete this picture?',
  deleteText: 'Letters that were sent go on showing it.',
  attachments: 'Attachments',
  attachmentsHint: (left: string) =>
    `At most 10 MB together, ${left} MB are left. They count from the next sending. Large ones make letters slow and are refused by many mail servers: a link is often better.`,
  attachmentFiles: 'Files',
  attach: 'Attach files',
  noAttachments: 'No attachments.',
  sizeHead: 'Size',
  storageTrouble:
    'The store of files does not work at the moment. Letters with attachments wait for it; pictures may be missing.',
  kilobytes: (n: number) => `${n} KB`,
  removeButton: 'Remove',
  remove: (name: string) => `Remove ${name}`,
  carries: (n: number) => countEn(n, 'attachment', 'attachments'),
};

export const mediaRu: Widened<typeof mediaEn> = {
  title: 'Картинки',
  about: 'Картинки для ваших сообщений. Для писем они уменьшаются, а сведения о месте съёмки удаляются.',
  files: 'Файлы картинок',
  filesHint: `${kinds}, каждый не больше 10 МБ. Можно выбрать несколько.`,
  upload: 'Загрузить',
  refused: (name) => `Файл «${name}» не добавлен, файлы после него тоже.`,
  search: 'Имя файла или описание',
  empty: 'Картинок пока нет.',
  alt: 'Описание',
  altHint: 'Его слышат те, кто не видит картинку, и видят те, у кого картинки отключены. С него начинают сообщения.',
  noAlt: 'Описания пока нет',
  size: (width, height, kilobytes) => `${width} × ${height}, ${kilobytes} КБ`,
  usedIn: 'Используется в',
  logo: 'Логотип ваших писем',
  unused: 'Не используется; удаляется через 30 дней без использования',
  address: 'Адрес для HTML',
  deleteQuestion: 'Удалить эту картинку?',
  deleteText: 'Отправленные письма будут показывать её и дальше.',
  attachments: 'Вложения',
  attachmentsHint: (left) =>
    `Вместе не больше 10 МБ, осталось ${left} МБ. Изменения действуют со следующей отправки. С большими вложениями письма идут медленно, и многие почтовые серверы их не принимают: часто лучше дать ссылку.`,
  attachmentFiles: 'Файлы',
  attach: 'Приложить файлы',
  noAttachments: 'Вложений нет.',
  sizeHead: 'Размер',
  storageTrouble: 'Хранилище файлов сейчас не работает. Письма с вложениями ждут его, картинок может быть не видно.',
  kilobytes: (n) => `${n} КБ`,
  removeButton: 'Убрать',
  remove: (name) => `Убрать ${name}`,
  carries: (n) => countRu(n, 'вложение', 'вложения', 'вложений'),
};

type MediaProblem =
  | 'picture_empty'
  | 'picture_type'
  | 'picture_broken'
  | 'picture_too_large'
  | 'picture_heavy'
  | 'picture_pixels'
  | 'too_many_files'
  | 'attachment_empty'
  | 'attachment_type'
  | 'attachments_too_large';
type MediaProblems = { [C in MediaProblem]: (values: ProblemValues[C]) => string };

export const mediaProblemsEn: MediaProblems = {
  picture_empty: () => 'This file is empty. Choose a picture.',
  picture_type: () => `This is no picture that letters can show. Allowed are ${kinds}.`,
  picture_broken: () => `This picture is damaged or not whole. Allowed are ${kinds} that can be opened.`,
  picture_too_large: ({ max }) => `This file is too large: a picture may have at most ${megabytes(max)} MB.`,
  picture_heavy: ({ max }) =>
    `Made ready for letters, this picture would still have more than ${megabytes(max)} MB. Choose one with fewer or smaller frames.`,
  picture_pixels: ({ max }) =>
    `This picture has too many pixels: at most ${millions(max)} million, in an animation those of all frames together.`,
  too_many_files: ({ max }) => `These are too many files: at most ${max}.`,
  attachment_empty: () => 'This file is empty.',
  attachment_type: ({ ending }) =>
    `Mail servers refuse files of the type ${ending}. Send a PDF, or a link to the file.`,
  attachments_too_large: ({ max }) =>
    `The attachments of a message may have ${megabytes(max)} MB together. Send a link to the file instead.`,
};

export const mediaProblemsRu: MediaProblems = {
  picture_empty: () => 'Файл пустой. Выберите картинку.',
  picture_type: () => `Такую картинку письма показать не могут. Подходят ${kinds}.`,
  picture_broken: () => `Картинка повреждена или загружена не целиком. Подходят ${kinds}, которые открываются.`,
  picture_too_large: ({ max }) => `Файл слишком большой: картинка может быть не больше ${megabytes(max)} МБ.`,
  picture_heavy: ({ max }) =>
    `И после подготовки для писем картинка больше ${megabytes(max)} МБ. Выберите ту, где кадров меньше или они мельче.`,
  picture_pixels: ({ max }) =>
    `В картинке слишком много точек: можно не больше ${millions(max)} млн, в анимации — во всех кадрах вместе.`,
  too_many_files: ({ max }) => `Слишком много файлов: можно не больше ${max}.`,
  attachment_empty: () => 'Файл пустой.',
  attachment_type: ({ ending }) =>
    `Файлы типа ${ending} почтовые серверы не принимают. Отправьте PDF или ссылку на файл.`,
  attachments_too_large: ({ max }) =>
    `Вложения одного сообщения вместе могут быть не больше ${megabytes(max)} МБ. Дайте вместо файла ссылку.`,
};
