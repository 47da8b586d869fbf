import type { BlockFault, DocumentFault, ProblemTexts } from '../../domain/problems';

type Texts = Pick<
  ProblemTexts,
  'document' | 'document_block' | 'document_variable' | 'document_or_html' | 'document_of_html'
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
  document: ({ fault, max }) => wholeEn[fault](String(max)),
  document_block: ({ block, fault, text }) => `Block ${block}: ${blockEn[fault](text ?? '')}`,
  document_variable: ({ block, name, similar }) =>
    `Block ${block}: there is no variable “${name}”.${similar === null ? '' : ` Did you mean “${similar}”?`}`,
  document_or_html: () => 'A message has either blocks or HTML.',
  document_of_html: () => 'This message is HTML and cannot become blocks.',
};

export const documentRu: Texts = {
  document: ({ fault, max }) => wholeRu[fault](String(max)),
  document_block: ({ block, fault, text }) => `Блок ${block}: ${blockRu[fault](text ?? '')}`,
  document_variable: ({ block, name, similar }) =>
    `Блок ${block}: нет переменной «${name}».${similar === null ? '' : ` Возможно, имелась в виду «${similar}»?`}`,
  document_or_html: () => 'Сообщение состоит либо из блоков, либо из HTML.',
  document_of_html: () => 'Это сообщение в HTML, блоками оно стать не может.',
};
