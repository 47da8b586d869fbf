import type { FieldDefinition, FieldType } from './client-fields';

/** Something that is known of clients: what each of them has, or a field that their owner defined (`own`). */
export interface ClientColumn {
  /** Names it in REST and templates; with `fields.` before it, if it is an owner's, in filters and lists. */
  key: string;
  /** Names it on pages; empty for what every client has, which has a name in every language. */
  label: string;
  type: FieldType | 'tags' | 'time';
  own: boolean;
}

/** What every client has and people may enter. */
export const builtInColumns = [
  { key: 'email', label: '', type: 'text', own: false },
  { key: 'fullName', label: '', type: 'text', own: false },
  { key: 'comment', label: '', type: 'text', own: false },
] as const satisfies readonly ClientColumn[];
export const tagsColumn = { key: 'tags', label: '', type: 'tags', own: false } as const satisfies ClientColumn;
export const addedColumn = { key: 'createdAt', label: '', type: 'time', own: false } as const satisfies ClientColumn;

const ofField = ({ key, label, type }: FieldDefinition): ClientColumn => ({ key, label, type, own: true });

/** All columns of an owner's clients, in the order in which lists, forms and files have them. */
export const clientColumns = (fields: readonly FieldDefinition[]): ClientColumn[] => [
  ...builtInColumns,
  ...fields.map(ofField),
  tagsColumn,
  addedColumn,
];

/** How filters, lists and forms call a column: an owner's field `fields.city`, so that it can't be taken for another. */
export const columnName = ({ key, own }: Pick<ClientColumn, 'key' | 'own'>): string => (own ? `fields.${key}` : key);

/** The columns of a CSV file of clients: those that an import takes back. */
export const fileColumns = (fields: readonly FieldDefinition[]): ClientColumn[] =>
  clientColumns(fields).filter(({ type }) => type !== 'time');

/** The head of a column in a CSV file. */
export const fileHead = ({ key, own }: ClientColumn): string =>
  own ? key : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What templates may show of a client. */
export const templateColumns = (fields: readonly FieldDefinition[]): ClientColumn[] =>
  clientColumns(fields).filter(({ type }) => type !== 'tags' && type !== 'time');
