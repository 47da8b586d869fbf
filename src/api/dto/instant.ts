import { invalid } from '../../domain/errors';
import { parseInstant } from '../../domain/schedule-input';

/** A date and time of a query or body, under its field's name; nothing if it is absent. @throws ValidationError */
export function instant<F extends string>(field: F, text: string | undefined): Partial<Record<F, Date>> {
  if (text === undefined) return {};
  const parsed = parseInstant(text);
  if (!(parsed instanceof Date)) throw invalid(field, parsed);
  return { [field]: parsed } as Partial<Record<F, Date>>;
}
