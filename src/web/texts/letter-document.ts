import type { BlockFault, DocumentFault, ProblemTexts } from '../../domain/problems';

type Texts = Pick<
  ProblemTexts,
  | 'picture_source'
  | 'colour'
  | 'colour_faint'
  | 'document'
  | 'document_block'
  | 'document_variable'
  | 'document_or_html'
  | 'document_of_html'
>;
type Faults<F extends string> = Record<F, (value: string) => string>;

const wholeEn: Faults<DocumentFault> = {
  shape: () => 'The letter has no block, or it is damaged.',
  version: () => 'The letter was written with another version of Gonets.',
  bytes: (max) => `The letter is too long: at most ${max} KB.`,
  blocks: (max) => `The letter has too many blocks: at most ${max}.`,
  depth: () => 'Blocks are nested too deeply.',
  html: () => 'The letter is too long: leave something out.',
};
const blockEn: Faults<BlockFault> = {
  type: () => 'this kind of block is not known.',
  content: () => 'something in it does not belong there.',
  picture: () => 'choose a picture, or give its address beginning with https://.',
  link: (text) => `“${text}” is no link. Begin it with https://, mailto: or tel:.`,
  no_link: () => 'say where it leads to.',
  no_text: () => 'say what stands on the button.',
  lists: () => 'lists are nested too deeply.',
};
const wholeRu: Faults<DocumentFault> = {
  shape: () => 'В письме нет ни одного блока, или оно повреждено.',
  version: () => 'Письмо написано другой версией Gonets.',
  bytes: (max) => `Письмо слишком длинное: не больше ${max} КБ.`,
  blocks: (max) => `В письме слишком много блоков: не больше ${max}.`,
  depth: () => 'Слишком много блоков друг в друге.',
  html: () => 'Письмо слишком длинное: что-нибудь уберите.',
};
const blockRu: Faults<BlockFault> = {
  type: () => 'такой вид блока неизвестен.',
  content: () => 'в нём есть то, чего там быть не может.',
  picture: () => 'выберите картинку или укажите её адрес, начиная с https://.',
  link: (text) => `«${text}» не ссылка. Начните её с https://, mailto: или tel:.`,
  no_link: () => 'укажите, куда он ведёт.',
  no_text: () => 'напишите, что стоит на кнопке.',
  lists: () => 'слишком много списков друг в друге.',
};

export const documentEn: Texts = {
  picture_source: () => 'The address of a picture, please, beginning with https://.',
  colour: () => 'A colour, please, such as #0f766e.',
  colour_faint: () => 'This colour is too light: a button would hardly be seen on white.',
  document: ({ fault, max }) => wholeEn[fault](String(max)),
  document_block: ({ block, fault, text }) => `Block ${block}: ${blockEn[fault](text ?? '')}`,
  document_variable: ({ block, name, similar }) =>
    `Block ${block}: there is no variable “${name}”.${similar === null ? '' : ` Did you mean “${similar}”?`}`,
  document_or_html: () => 'A message has either blocks or HTML.',
  document_of_html: () => 'This message is HTML and cannot become blocks.',
};

export const documentRu: Texts = {
  picture_source: () => 'Укажите адрес картинки, начиная с https://.',
  colour: () => 'Укажите цвет, например #0f766e.',
  colour_faint: () => 'Этот цвет слишком светлый: на белом кнопку почти не видно.',
  document: ({ fault, max }) => wholeRu[fault](String(max)),
  document_block: ({ block, fault, text }) => `Блок ${block}: ${blockRu[fault](text ?? '')}`,
  document_variable: ({ block, name, similar }) =>
    `Блок ${block}: нет переменной «${name}».${similar === null ? '' : ` Возможно, имелась в виду «${similar}»?`}`,
  document_or_html: () => 'Сообщение состоит либо из блоков, либо из HTML.',
  document_of_html: () => 'Это сообщение в HTML, блоками оно стать не может.',
};

export const brandEn = {
  title: 'How letters look',
  about: 'For letters of blocks. A letter takes over a change when it is saved the next time.',
  logo: 'Logo',
  logoHint: 'The address of a picture (https), shown 160 px wide at the top. If empty: none.',
  logoChoose: 'Choose or upload a logo',
  logoAbout:
    'Letters show it 160 px wide, so one of twice that width stays sharp. It is used once you save the sender.',
  logoFile: 'A new picture',
  logoFileHint: 'JPEG, PNG, GIF, WebP, at most 10 MB.',
  logoUpload: 'Upload and use it',
  logoOwn: 'Your pictures',
  accent: 'Colour of buttons and links',
  background: 'Colour around the letter',
  colourHint: (colour: string) => `If empty: ${colour}.`,
  font: 'Font',
  fonts: {
    '': 'As usual (Arial)',
    sans: 'Arial',
    verdana: 'Verdana',
    trebuchet: 'Trebuchet',
    georgia: 'Georgia',
    times: 'Times',
  },
};

export const brandRu: typeof brandEn = {
  title: 'Как выглядят письма',
  about: 'Для писем из блоков. Письмо перенимает изменения, когда его сохраняют в следующий раз.',
  logo: 'Логотип',
  logoHint: 'Адрес картинки (https), показывается сверху шириной 160 пикселей. Если пусто: без логотипа.',
  logoChoose: 'Выбрать или загрузить логотип',
  logoAbout:
    'В письмах он шириной 160 пикселей: картинка вдвое шире останется чёткой. Он изменится, когда вы сохраните отправителя.',
  logoFile: 'Новая картинка',
  logoFileHint: 'JPEG, PNG, GIF, WebP, не больше 10 МБ.',
  logoUpload: 'Загрузить и взять',
  logoOwn: 'Ваши картинки',
  accent: 'Цвет кнопок и ссылок',
  background: 'Цвет вокруг письма',
  colourHint: (colour) => `Если пусто: ${colour}.`,
  font: 'Шрифт',
  fonts: {
    '': 'Обычный (Arial)',
    sans: 'Arial',
    verdana: 'Verdana',
    trebuchet: 'Trebuchet',
    georgia: 'Georgia',
    times: 'Times',
  },
};
