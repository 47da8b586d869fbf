import { fieldTypes } from '../../domain/client-fields';
import { textEncodings } from '../../domain/csv-encoding';
import { textDelimiters } from '../../domain/csv-table';
import type { Inspected, InspectedColumn, Look } from '../../features/clients/import-inspector.service';
import { importModes } from '../../features/clients/import.entity';
import type { FieldDefinition } from '../../domain/client-fields';
import type { FormState } from '../answers';
import { named } from '../codes';
import { Field, FormProblem, PostForm } from '../components/form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';

/** A form may have 200 fields; nobody chooses among so many. */
export const SHOWN_COLUMNS = 150;
const TARGETS = ['email', 'fullName', 'firstName', 'middleName', 'lastName', 'comment', 'tags', 'status'] as const;
/** Choices need their options first; a field of choices is made on its own page. */
const NEW_TYPES = fieldTypes.filter((type) => type !== 'choice');

interface MappingProps {
  seen: Omit<Inspected, 'fields'>;
  look: Look;
  fields: FieldDefinition[];
  form: FormState;
}

/** What each column of the kept file is, and what is to be done with it. */
export function ImportMappingPage({ seen, look, fields, form }: MappingProps) {
  const { t } = useReader();
  const columns = seen.columns.slice(0, SHOWN_COLUMNS);
  return (
    <>
      <PageHead
        title={seen.fileName || t.imports.nameless(seen.importId)}
        back={{ to: '/clients/import', text: t.imports.title }}
      />
      <Reading seen={seen} look={look} />
      <PostForm action={`/clients/import/${seen.importId}/apply`} class="mapping">
        <FormProblem form={form} />
        <LookFields look={look} />
        <h2>{t.imports.mapping.title}</h2>
        <p class="hint">{t.imports.mapping.about}</p>
        {form.problems.mapping && <p class="field-problem">{form.problems.mapping}</p>}
        <table class="table rows" role="table">
          <caption class="visually-hidden">{t.imports.mapping.title}</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                {t.imports.mapping.column}
              </th>
              <th role="columnheader" scope="col">
                {t.imports.mapping.samples}
              </th>
              <th role="columnheader" scope="col">
                {t.imports.mapping.is}
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {columns.map((column) => (
              <ColumnRow key={column.index} column={column} fields={fields} form={form} />
            ))}
          </tbody>
        </table>
        {seen.columns.length > columns.length && <p class="hint">{t.imports.mapping.more(SHOWN_COLUMNS)}</p>}
        <Options form={form} rows={seen.rows} />
      </PostForm>
    </>
  );
}

/** How the file was read, and a form to read it in another way: a GET, because it changes nothing. */
function Reading({ seen, look }: Pick<MappingProps, 'seen' | 'look'>) {
  const { t } = useReader();
  const { mapping } = t.imports;
  const option = (value: string, text: string, chosen: string) => (
    <option value={value} selected={value === chosen} key={value}>
      {text}
    </option>
  );
  const guessed = (text: string) => mapping.recognised(text);
  return (
    <form method="get" action={`/clients/import/${seen.importId}`} class="card-box reading">
      <input type="hidden" name="columns" value="1" />
      {!seen.encodingSure && (
        <p class="alert alert-warning" role="status">
          {mapping.unsure}
        </p>
      )}
      <div class="reading-fields">
        {seen.encoding !== null && (
          <div class="field">
            <label class="form-label" for="f-encoding">
              {mapping.encoding}
            </label>
            <select class="form-select" id="f-encoding" name="encoding">
              {option('', guessed(look.encoding ? '…' : encodingName(seen.encoding)), look.encoding ?? '')}
              {textEncodings.map((name) => option(name, encodingName(name), look.encoding ?? ''))}
            </select>
          </div>
        )}
        {seen.delimiter !== null && (
          <div class="field">
            <label class="form-label" for="f-delimiter">
              {mapping.delimiter}
            </label>
            <select class="form-select" id="f-delimiter" name="delimiter">
              {option(
                '',
                guessed(look.delimiter ? '…' : named(t.imports.delimiters, seen.delimiter)),
                look.delimiter ?? '',
              )}
              {textDelimiters.map((name) => option(name, t.imports.delimiters[name], look.delimiter ?? ''))}
            </select>
          </div>
        )}
        {seen.sheets.length > 1 && (
          <div class="field">
            <label class="form-label" for="f-sheet">
              {mapping.sheet}
            </label>
            <select class="form-select" id="f-sheet" name="sheet">
              {seen.sheets.map((name) => option(name, name, seen.sheet ?? ''))}
            </select>
          </div>
        )}
        <div class="field">
          <label class="form-label" for="f-header">
            {mapping.firstLine}
          </label>
          <select class="form-select" id="f-header" name="header">
            {option('1', mapping.header, seen.hasHeader ? '1' : '0')}
            {option('0', mapping.noHeader, seen.hasHeader ? '1' : '0')}
          </select>
        </div>
        <button class="btn btn-secondary">{mapping.again}</button>
      </div>
    </form>
  );
}

/** The way in which the file was read goes with the decision. */
function LookFields({ look }: { look: Look }) {
  const header = look.hasHeader === undefined || look.hasHeader === null ? '' : look.hasHeader ? '1' : '0';
  const values = { encoding: look.encoding, delimiter: look.delimiter, sheet: look.sheet, header };
  return (
    <>
      {Object.entries(values).map(([name, value]) =>
        value ? <input type="hidden" name={name} value={value} key={name} /> : null,
      )}
    </>
  );
}

function ColumnRow({ column, fields, form }: { column: InspectedColumn; fields: FieldDefinition[]; form: FormState }) {
  const { t } = useReader();
  const { index, header, samples, suggested, newField } = column;
  const { mapping } = t.imports;
  const name = `column.${index}`;
  const chosen = form.values[name] ?? suggested;
  const wrong = form.problems[`mapping.${index}`];
  const title = header || mapping.unnamed(index + 1);
  const option = (value: string, text: string) => (
    <option value={value} selected={value === chosen} key={value}>
      {text}
    </option>
  );
  return (
    <tr role="row">
      <td role="cell" data-label={mapping.column} class="main-cell">
        {title}
      </td>
      <td role="cell" data-label={mapping.samples} class="text-cell samples">
        <div>
          {samples.map((sample, i) => (
            <div key={i}>{sample}</div>
          ))}
        </div>
      </td>
      <td role="cell" data-label={mapping.is}>
        <select
          class={`form-select ${wrong ? 'is-invalid' : ''}`}
          name={name}
          aria-label={mapping.isOf(title)}
          aria-describedby={wrong ? `f-${name}-problem` : undefined}
        >
          {option('ignore', mapping.ignore)}
          {TARGETS.map((target) => option(target, t.imports.columns[target]))}
          {fields.length > 0 && (
            <optgroup label={mapping.fields}>{fields.map(({ key, label }) => option(`fields.${key}`, label))}</optgroup>
          )}
          <optgroup label={mapping.newField}>
            {NEW_TYPES.map((type) => option(`new:${type}`, mapping.newOf(newField.label, mapping.types[type])))}
          </optgroup>
        </select>
        {wrong && (
          <p class="field-problem" id={`f-${name}-problem`}>
            {wrong}
          </p>
        )}
      </td>
    </tr>
  );
}

function Options({ form, rows }: { form: FormState; rows: number | null }) {
  const { t } = useReader();
  const { mapping } = t.imports;
  const box = (name: string, text: string, hint: string) => (
    <div class="form-check field">
      <input
        class="form-check-input"
        type="checkbox"
        id={`f-${name}`}
        name={name}
        value="1"
        checked={form.values[name] === '1'}
      />
      <label class="form-check-label" for={`f-${name}`}>
        {text}
        <span class="hint d-block">{hint}</span>
      </label>
    </div>
  );
  return (
    <div class="card-box narrow">
      <Field
        form={form}
        name="mode"
        label={mapping.mode}
        options={importModes.map((mode) => ({ value: mode, text: mapping.modes[mode] }))}
        required
      />
      <Field form={form} name="tags" label={mapping.tags} hint={mapping.tagsHint} />
      {box('clear', mapping.clear, mapping.clearHint)}
      {box('check', t.imports.checkFirst, t.imports.checkHint)}
      <div class="actions">
        <button class="btn btn-primary">{rows === null ? mapping.importAll : mapping.importNow(rows)}</button>
      </div>
    </div>
  );
}

const encodingName = (name: string): string =>
  name.replace(/^(?:utf|koi|ibm|iso|gb|euc|big)/, (start) => start.toUpperCase()).replace(/^windows/, 'Windows');
