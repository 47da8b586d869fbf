import { type ClientColumn, clientColumns, columnName } from '../../domain/client-columns';
import { type FieldDefinition, type FieldValue, valueText } from '../../domain/client-fields';
import { tagsText } from '../../domain/tag-names';
import type { ClientView } from '../../features/clients/client-view';
import type { FormState } from '../answers';
import { Field } from '../components/form';
import type { Column } from '../components/list';
import { Chip } from '../components/states';
import type { Formats } from '../formats';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { taggedClients } from './tags.page';

/** Those that a list shows until somebody chooses. */
const USUAL = ['fullName', 'tags', 'comment', 'createdAt'];

/** The columns with these names, in the usual order; the address is always there and not among them. */
export function chosenColumns(fields: readonly FieldDefinition[], names: readonly string[] | null): ClientColumn[] {
  const wanted = names ?? USUAL;
  return offeredColumns(fields).filter((column) => wanted.includes(columnName(column)));
}

export const offeredColumns = (fields: readonly FieldDefinition[]): ClientColumn[] =>
  clientColumns(fields).filter(({ key }) => key !== 'email');

export function columnLabel({ key, label, own }: ClientColumn, t: Texts): string {
  if (own) return label;
  if (key === 'tags') return t.tags.title;
  return key === 'createdAt' ? t.field.addedAt : t.field[key as 'email' | 'fullName' | 'comment'];
}

/** A value as a page shows it. */
export function valueWords(
  value: FieldValue | undefined,
  type: ClientColumn['type'],
  t: Texts,
  format: Formats,
): string {
  if (value === undefined) return '';
  if (typeof value === 'boolean') return value ? t.fields.yes : t.fields.no;
  if (typeof value === 'number') return format.amount(value);
  return type === 'date' ? format.plainDay(value) : value;
}

export function Tags({ names }: { names: readonly string[] }) {
  return (
    <div class="chips tags">
      {names.map((name) => (
        <a key={name} href={taggedClients(name)}>
          <Chip tone="quiet">{name}</Chip>
        </a>
      ))}
    </div>
  );
}

/** The columns of a list of clients. */
export function useClientColumns(columns: readonly ClientColumn[]): Column<ClientView>[] {
  const { t, format } = useReader();
  return columns.map((column): Column<ClientView> => {
    const { key, type, own } = column;
    const head = columnLabel(column, t);
    if (own) {
      const cell = ({ fields }: ClientView) => <span class="clip">{valueWords(fields[key], type, t, format)}</span>;
      return { head, class: type === 'number' ? 'num' : 'text-cell', cell };
    }
    if (type === 'tags') return { head, cell: ({ tags }) => tags.length > 0 && <Tags names={tags} /> };
    if (type === 'time')
      // Clients get their ids in the order in which they are added.
      return { head, sort: '-id', class: 'muted text-nowrap', cell: ({ createdAt }) => format.day(createdAt) };
    if (key === 'comment')
      return {
        head,
        class: 'text-cell muted',
        cell: ({ comment }) => comment && <span class="clip">{comment}</span>,
      };
    return { head, sort: 'fullName', class: 'text-cell', cell: ({ fullName }) => fullName };
  });
}

/** Which columns the list shows. The hidden field says that somebody chose, even if they chose none. */
export function ColumnsPick({
  offered,
  chosen,
}: {
  offered: readonly ClientColumn[];
  chosen: readonly ClientColumn[];
}) {
  const { t, query } = useReader();
  const names = chosen.map(columnName);
  return (
    <details class="columns-pick">
      <summary>{t.fields.columns}</summary>
      <form method="get" action="/clients">
        <input type="hidden" name="columns" value="email" />
        {['search', 'tag', 'subscription', 'segmentId', 'ownerId', 'sort'].map((name) => {
          const value = query.get(name);
          return value && <input key={name} type="hidden" name={name} value={value} />;
        })}
        <fieldset>
          <legend class="visually-hidden">{t.fields.columns}</legend>
          {offered.map((column) => {
            const name = columnName(column);
            return (
              <label class="form-check" key={name}>
                <input
                  class="form-check-input"
                  type="checkbox"
                  name="columns"
                  value={name}
                  checked={names.includes(name)}
                />{' '}
                {columnLabel(column, t)}
              </label>
            );
          })}
        </fieldset>
        <button class="btn btn-secondary">{t.fields.showColumns}</button>
      </form>
    </details>
  );
}

/** The inputs for an owner's fields, each by its type. */
export function OwnFields({ form, fields }: { form: FormState; fields: readonly FieldDefinition[] }) {
  const { t } = useReader();
  return (
    <>
      {fields.map(({ key, label, type, options }) => {
        const common = { form, name: `fields.${key}`, label };
        switch (type) {
          case 'date':
            return <Field key={key} {...common} type="date" />;
          case 'number':
            return <Field key={key} {...common} attributes={{ inputmode: 'decimal' }} autocomplete="off" />;
          case 'boolean':
            return (
              <Field
                key={key}
                {...common}
                options={[
                  { value: '', text: t.fields.none },
                  { value: 'yes', text: t.fields.yes },
                  { value: 'no', text: t.fields.no },
                ]}
              />
            );
          case 'choice':
            return (
              <Field
                key={key}
                {...common}
                options={[
                  { value: '', text: t.fields.none },
                  ...options.map((option) => ({ value: option, text: option })),
                ]}
              />
            );
          case 'text': {
            const many = (form.values[common.name] ?? '').includes('\n');
            return <Field key={key} {...common} {...(many && { rows: 4 })} autocomplete="off" />;
          }
        }
      })}
      {form.problems.fields && <p class="field-problem">{form.problems.fields}</p>}
    </>
  );
}

const SUGGESTED = 100;
/** Longer lines are not saved, and each suggestion would repeat them. */
const LINE_MAX = 10_000;

/** Tags in one line, separated by commas. What browsers suggest is the whole line with one more. */
export function TagsField({ form, known }: { form: FormState; known: readonly string[] }) {
  const { t } = useReader();
  const had = form.values.tags ?? '';
  const problem = form.problems.tags ?? Object.entries(form.problems).find(([name]) => name.startsWith('tags.'))?.[1];
  const given = had.split(',');
  const chosen = new Set(given.map((one) => one.trim()));
  const others = had.length > LINE_MAX ? [] : known.filter((name) => !chosen.has(name)).slice(0, SUGGESTED);
  const line = given
    .slice(0, given.findLastIndex((one) => one.trim() !== '') + 1)
    .join(',')
    .trimEnd();
  return (
    <>
      <Field
        form={problem === undefined ? form : { ...form, problems: { ...form.problems, tags: problem } }}
        name="tags"
        label={t.tags.title}
        hint={t.tags.hint}
        autocomplete="off"
        attributes={{ list: 'known-tags' }}
      />
      <datalist id="known-tags">
        {others.map((name) => (
          <option key={name} value={line === '' ? name : `${line}, ${name}`} />
        ))}
      </datalist>
    </>
  );
}

/** What a form shows of a client, by the names of its inputs. */
export const clientForm = ({ email, fullName, comment, fields, tags }: ClientView): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [`fields.${key}`, valueText(value)])),
  email,
  fullName,
  comment,
  tags: tagsText(tags),
});
