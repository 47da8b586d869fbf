import { readDocument } from './letter-form';
import { Node } from 'prosemirror-model';
import { draftSchema } from '../../domain/letter-document/draft-schema';
import { variableSource } from '../../domain/letter-document/schema-things';
import type { FormValues } from '../form-state';

/** The text of a letter, to be compared with what others wrote. */
export function letterWords(name: string, values: FormValues): string | undefined {
  if (name !== 'document') return undefined;
  try {
    const doc = Node.fromJSON(draftSchema, readDocument(values)?.doc);
    return doc.textBetween(0, doc.content.size, '\n', (leaf) => {
      const { name: variable, fallback, alt, src } = leaf.attrs as Record<string, string>;
      if (leaf.type.name === 'variable') return variableSource(variable ?? '', fallback);
      return leaf.type.name === 'picture' ? `[${alt || src}]` : '';
    });
  } catch {
    return undefined;
  }
}

const templateless = (text: string): string => text.replace(/\{\{[^{}]*\}\}/g, '');

/** What people read of a message that is being written, and where its links lead; its own variables are left out. */
export function readOf(form: FormValues): string {
  const { subject = '', preheader = '', body = '', bodyText = '' } = form;
  const templates = [subject, preheader, body, bodyText].map(templateless);
  const typed: string[] = [];
  try {
    Node.fromJSON(draftSchema, readDocument(form)?.doc).descendants((node) => {
      if (node.isText) typed.push(node.text ?? '');
      const linked = node.marks.map(({ attrs }) => attrs as Record<string, unknown>);
      for (const { href, alt } of [node.attrs as Record<string, unknown>, ...linked])
        typed.push(...[href, alt].filter((text) => typeof text === 'string').map(templateless));
    });
  } catch {
    // HTML, or a document that its check will find fault with.
  }
  return [...templates, ...typed].join('\n');
}
