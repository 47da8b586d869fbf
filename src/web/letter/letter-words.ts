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
