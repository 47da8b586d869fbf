import type { FieldValues } from '../../domain/client-fields';
import { valueText } from '../../domain/client-fields';
import type { ClientHeader } from '../../domain/csv-clients';
import type { ImportLayout } from './import.entity';

/** A staged row, as far as it is needed to show its line again. */
export interface StagedRow {
  line: number;
  email: string;
  fullName: string;
  comment: string;
  fields: FieldValues | null;
}

export const layoutOf = (header: ClientHeader): ImportLayout => ({
  names: header.names,
  email: header.email,
  name: header.fullName >= 0 ? header.fullName : (header.parts[0] ?? -1),
  comment: header.comment,
  fields: Object.fromEntries(header.fields.map(({ index, definition }) => [definition.key, index])),
  types: Object.fromEntries(header.fields.map(({ definition: { key, type } }) => [key, type])),
});

/**
 * A line of the file made from what was read of it, when its text is not there any more: columns that nothing was taken
 * from are empty.
 */
export function recordOf({ names, email, name, comment, fields }: ImportLayout, row: StagedRow): string[] {
  const record = names.map(() => '');
  const put = (index: number, text: string) => {
    if (index >= 0) record[index] = text;
  };
  put(email, row.email);
  put(name, row.fullName);
  put(comment, row.comment);
  for (const [key, value] of Object.entries(row.fields ?? {})) put(fields[key] ?? -1, valueText(value));
  return record;
}
