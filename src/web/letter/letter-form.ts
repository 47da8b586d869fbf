import { Node } from 'prosemirror-model';
import { draftSchema } from '../../domain/letter-document/draft-schema';
import { DOCUMENT_BYTES } from '../../domain/letter-document/limits';
import { DOCUMENT_VERSION, type LetterDocument } from '../../domain/letter-document/schema';
import type { FormValues } from '../form-state';
import {
  columnKinds,
  documentOf,
  newPlain,
  type PlainBlock,
  type PlainKind,
  plainKinds,
  plainOf,
} from './plain-blocks';

/** The fields of a message made of blocks: its document as the editor's hidden field has it, or the blocks of the form without a script. */

/** `b.2.text`, or `b.3.c1.0.text` in a column. */
const FIELD = /^b\.(\d{1,3})\.(?:c([012])\.(\d{1,3})\.)?(kind|text|level|align|src|alt|width|href|height|links)$/;
const BLOCKS_MAX = 600;

const isPlain = (form: FormValues): boolean => 'b.0.kind' in form;

/** Whether a form is of a message made of blocks. */
export const hasBlocks = (form: FormValues): boolean => form.document !== undefined || isPlain(form);

/** A document as forms have it: always in the same words, so that two can be compared. */
export function documentField(doc: unknown): string {
  return JSON.stringify({ version: DOCUMENT_VERSION, doc: Node.fromJSON(draftSchema, doc).toJSON() as unknown });
}

/** More can't be saved, so it is not read: that would take seconds. */
const isTooLong = (form: FormValues): boolean =>
  Object.values(form).reduce((length, value) => length + value.length, 0) > DOCUMENT_BYTES;

/** What the form has, with the blocks of the form without a script put together, unless they are too long. */
export function withDocument(form: FormValues): FormValues {
  if (!isPlain(form) || isTooLong(form)) return form;
  const rest = Object.fromEntries(Object.entries(form).filter(([name]) => !FIELD.test(name)));
  return { ...rest, document: documentField(documentOf(afterDeed(plainIn(form), form.then)).toJSON()) };
}

/** The document of a form, or null where its field holds none. */
export function readDocument(form: FormValues): LetterDocument | null {
  try {
    const { version, doc } = JSON.parse(form.document ?? '') as LetterDocument;
    return { version, preheader: form.preheader ?? '', doc };
  } catch {
    return null;
  }
}

/** What is to be checked: the document, or what stands in the fields of its blocks. */
export const givenDocument = (form: FormValues): unknown =>
  readDocument(form) ?? (isPlain(form) ? Object.values(form) : {});

/** The blocks to be shown; a document that can't be read is an empty letter. */
export function plainBlocks(form: FormValues): PlainBlock[] {
  if (isPlain(form)) return plainIn(form);
  try {
    return plainOf(Node.fromJSON(draftSchema, readDocument(form)?.doc));
  } catch {
    return [newPlain('text')];
  }
}

function plainIn(form: FormValues): PlainBlock[] {
  const blocks: PlainBlock[] = [];
  const at = (list: PlainBlock[], index: number): PlainBlock => (list[index] ??= newPlain('text'));
  for (const [name, value] of Object.entries(form)) {
    const [, index, column, inner, field] = FIELD.exec(name) ?? [];
    if (!index || !field || Number(index) >= BLOCKS_MAX) continue;
    let block = at(blocks, Number(index));
    if (column) {
      if (Number(inner) >= BLOCKS_MAX) continue;
      block = at((block.columns[Number(column)] ??= []), Number(inner));
    }
    if (field !== 'kind') block.fields[field] = value.replace(/\r\n?/g, '\n');
    else if (plainKinds.some((kind) => kind === value)) block.kind = value as PlainKind;
  }
  return dense(blocks);
}

/** Without the gaps that a form made by hand may have, and with as many columns as there should be. */
const dense = (blocks: PlainBlock[]): PlainBlock[] =>
  blocks
    .filter((block) => block !== undefined)
    .map((block) => {
      const { columns } = newPlain(block.kind);
      return { ...block, columns: columns.map((empty, i) => dense(block.columns[i] ?? empty)) };
    });

/** What a button beside a block asks for: `up 2`, `remove 3.c1.0`, `add 2 picture`. */
const DEED = /^(up|down|copy|remove|add) (\d{1,3})(?:\.c([012])\.(\d{1,3}))?(?: (\w+))?$/;

export const isDeed = (then: string | undefined): boolean => DEED.test(then ?? '');

function afterDeed(blocks: PlainBlock[], then: string | undefined): PlainBlock[] {
  const [, deed, index, column, inner, kind] = DEED.exec(then ?? '') ?? [];
  if (!deed) return blocks;
  const list = column ? blocks[Number(index)]?.columns[Number(column)] : blocks;
  const at = Number(column ? inner : index);
  const block = list?.[at];
  if (!list || !block) return blocks;
  if (deed === 'remove') list.splice(at, 1);
  else if (deed === 'copy') list.splice(at, 0, block);
  else if (deed === 'add') {
    const added = (column ? columnKinds : plainKinds).find((one) => one === kind);
    if (added) list.splice(at + 1, 0, newPlain(added));
  } else {
    const to = at + (deed === 'up' ? -1 : 1);
    const other = list[to];
    if (other) [list[at], list[to]] = [other, block];
  }
  return blocks;
}
