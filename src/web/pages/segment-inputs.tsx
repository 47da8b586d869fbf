import type { FieldDefinition } from '../../domain/client-fields';
import { type FilterType, lastResults, ownField, type SegmentFilter } from '../../domain/segment-filter';
import { subscriptionStatuses } from '../../domain/subscription';
import type { SegmentCount } from '../../features/audiences/segment-count.service';
import type { SegmentView } from '../../features/audiences/segments.service';
import type { FilterNames } from '../../features/clients/segment-context';
import type { FormState } from '../answers';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { type Group, type Groups, offered, operatorsFor, type Row, typeOf } from '../segment-form';
import { fieldWords, filterWords } from '../segment-words';

export interface SegmentFormProps {
  form: FormState;
  groups: Groups;
  names: FilterNames;
  /** The owner's tags and mailings to choose from. */
  tags: readonly string[];
  mailings: readonly { id: number; name: string }[];
  segment?: SegmentView;
  /** Null: not asked yet, or there are problems. */
  count: SegmentCount | null;
}

export type GroupProps = SegmentFormProps & { group: Group; g: number };

/**
 * What a change of a field or a button does with a script: only the conditions and the count are shown anew. What is
 * typed meanwhile stays, see browser/refreshes.ts.
 */
export const LIVE = {
  'data-keeps-typed': true,
  'hx-post': '/segments/form?do=choose',
  'hx-include': '#segment-form',
  'hx-target': '#segment-filter',
  'hx-select': '#segment-filter',
  'hx-swap': 'outerHTML',
};

/** A button that changes the form: without a script it shows the page anew. */
export const live = (what: string) => ({
  ...LIVE,
  // Where something is taken away, the inputs after it get other names.
  'data-keeps-typed': what.startsWith('add.') || undefined,
  formaction: `/segments/form?do=${what}`,
  'hx-post': `/segments/form?do=${what}`,
});

export function RowInputs(props: GroupProps & { row: Row; r: number }) {
  const { row, r, g, form, names } = props;
  const { t, format } = useReader();
  const name = `g${g}.${r}`;
  const title = t.segments.condition(r + 1);
  const remove = (
    <button class="btn btn-quiet btn-sm" aria-label={t.segments.removeOne(title)} {...live(`remove.${g}.${r}`)}>
      {t.segments.remove}
    </button>
  );
  if (row.kept !== undefined) {
    return (
      <div class="condition">
        <input type="hidden" name={`${name}.kept`} value={row.kept} />
        <p class="kept">
          {keptWords(row.kept, (filter) => filterWords(filter, { t, format, names }))}
          <span class="hint d-block">{t.segments.kept}</span>
        </p>
        {remove}
      </div>
    );
  }
  const type = typeOf(row.field, names.fields);
  const problem =
    form.problems[`${name}.value`] ??
    form.problems[`${name}.op`] ??
    form.problems[`${name}.field`] ??
    form.problems[`${name}.days`];
  return (
    <div class="condition" role="group" aria-label={title}>
      <Select
        name={`${name}.field`}
        label={t.segments.fieldLabel}
        value={row.field}
        options={fieldsFor(row.field, names.fields).map((field) => ({
          value: field,
          text: fieldWords(field, { t, names }),
        }))}
        live
      />
      {type !== 'receipt' && (
        <Select
          name={`${name}.op`}
          label={t.segments.opLabel}
          value={row.op}
          options={operatorsFor(type).map((op) => ({ value: op, text: t.segments.ops[op] }))}
          live
        />
      )}
      <ValueInput {...props} type={type} name={name} problem={problem} />
      {remove}
      {problem && (
        <p class="field-problem" id={`f-${name}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

/** A field that is not on offer any more stays as long as it is chosen. */
const fieldsFor = (chosen: string, definitions: readonly FieldDefinition[]): string[] => {
  const all = offered(definitions).map(({ field }) => field);
  return all.includes(chosen) ? all : [...all, chosen];
};

function keptWords(json: string, words: (filter: SegmentFilter) => string): string {
  try {
    return words(JSON.parse(json) as SegmentFilter);
  } catch {
    return json;
  }
}

interface SelectProps {
  name: string;
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  /** With a script a choice shows other inputs at once. */
  live?: boolean;
  invalid?: boolean;
}

function Select({ name, label, value, options, live: isLive, invalid }: SelectProps) {
  return (
    <label>
      <span class="visually-hidden">{label}</span>
      <select
        class={`form-select ${invalid ? 'is-invalid' : ''}`}
        name={name}
        {...(isLive && { ...LIVE, 'hx-trigger': 'change' })}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}

type ValueProps = GroupProps & { row: Row; type: FilterType; name: string; problem: string | undefined };

/** The input that fits the field's type and the operator. */
function ValueInput({ row, type, name, problem, names, mailings, form }: ValueProps) {
  const { t } = useReader();
  const { op, value } = row;
  const invalid = problem !== undefined;
  if (op === 'isSet' || op === 'isNotSet') return null;
  if (type === 'receipt') {
    const options = [
      { value: '', text: t.segments.anyMailing },
      ...mailings.map((each) => ({
        value: String(each.id),
        text: mailingTitle(each, t),
      })),
    ];
    return (
      <>
        <Select
          name={`${name}.value`}
          label={t.segments.mailingLabel}
          value={value}
          options={options}
          invalid={invalid}
        />
        <Input
          name={`${name}.days`}
          label={t.segments.daysLabel}
          value={row.days}
          invalid={form.problems[`${name}.days`] !== undefined}
          attributes={{ inputmode: 'numeric', size: '5' }}
          around={t.segments.daysAround}
        />
      </>
    );
  }
  const choices = op === 'isOneOf' ? null : choicesOf(type, row.field, names, t);
  if (choices) {
    const options = choices.some((each) => each.value === value) ? choices : [{ value: '', text: '–' }, ...choices];
    return (
      <Select name={`${name}.value`} label={t.segments.valueLabel} value={value} options={options} invalid={invalid} />
    );
  }
  const isDays = op === 'inLastDays' || op === 'notInLastDays';
  const isDay = !isDays && (type === 'date' || type === 'instant');
  const attributes = {
    ...(isDay && { type: 'date' }),
    ...((isDays || (type === 'number' && op !== 'isOneOf')) && { inputmode: isDays ? 'numeric' : 'decimal' }),
    ...(isDays && { placeholder: t.segments.daysLabel }),
    ...(type === 'tag' && { list: 'tag-names' }),
    ...(op === 'isOneOf' && { placeholder: t.segments.separated, title: t.segments.separated }),
    ...(invalid && { 'aria-describedby': `f-${name}-problem` }),
  };
  return (
    <Input
      name={`${name}.value`}
      label={t.segments.valueLabel}
      value={value}
      invalid={invalid}
      attributes={attributes}
    />
  );
}

interface InputProps {
  name: string;
  label: string;
  value: string;
  invalid: boolean;
  attributes: Record<string, string>;
  /** Words before and after the input; else its label is not shown. */
  around?: { before: string; after: string };
}

const Input = ({ name, label, value, invalid, attributes, around }: InputProps) => (
  <label class={around && 'around'}>
    {around ? around.before : <span class="visually-hidden">{label}</span>}
    <input
      class={`form-control ${invalid ? 'is-invalid' : ''}`}
      name={name}
      value={value}
      autocomplete="off"
      aria-invalid={invalid ? 'true' : undefined}
      {...attributes}
    />
    {around?.after}
  </label>
);

function choicesOf(type: FilterType, field: string, { fields }: FilterNames, t: ReturnType<typeof useReader>['t']) {
  const { segments, deliveryStatus } = t;
  if (type === 'boolean')
    return [
      { value: 'yes', text: segments.yes },
      { value: 'no', text: segments.no },
    ];
  if (type === 'result') return lastResults.map((value) => ({ value, text: deliveryStatus[value] }));
  if (type === 'subscription')
    return subscriptionStatuses.map((value) => ({ value, text: segments.subscription[value] }));
  if (type !== 'choice') return null;
  const options = fields.find(({ key }) => ownField(key) === field)?.options ?? [];
  return options.map((value) => ({ value, text: value }));
}
