import type { SegmentCount } from '../../features/audiences/segment-count.service';
import type { SegmentFilter } from '../../domain/segment-filter';
import type { FilterNames } from '../../features/clients/segment-context';
import { Field, FormProblem } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { PageHead } from '../components/list';
import { type Reader, useReader } from '../reader';
import { filterOf, groupsIn } from '../segment-form';
import { filterSentence } from '../segment-words';
import type { FormValues } from '../web-controller';
import { type GroupProps, LIVE, live, RowInputs, type SegmentFormProps } from './segment-inputs';

export function SegmentFormPage(props: SegmentFormProps) {
  const { form, segment, groups, count } = props;
  const { t, format } = useReader();
  const back = segment
    ? { to: `/segments/${segment.id}`, text: segment.name }
    : { to: '/segments', text: t.segments.title };
  return (
    <>
      <PageHead title={segment ? t.segments.edit : t.segments.new} back={back} />
      <KeptForm
        form={form}
        action={segment ? `/segments/${segment.id}/edit` : '/segments/new'}
        labels={{ name: t.segments.name, filter: t.segments.filter }}
        words={(name, values) => (name === 'filter' ? groupWords(values, props.names, { t, format }) : undefined)}
        id="segment-form"
        class="card-box"
        first={
          // What Enter does within an input: nothing is saved by accident.
          <button class="visually-hidden" tabindex={-1} aria-hidden="true" formaction="/segments/form">
            {t.segments.check}
          </button>
        }
      >
        {segment && <input type="hidden" name="segmentId" value={String(segment.id)} />}
        <FormProblem form={form} />
        <Field form={form} name="name" label={t.segments.name} required />
        <div id="segment-filter">
          <h2>{t.segments.filter}</h2>
          {form.problems.filter && <p class="field-problem">{form.problems.filter}</p>}
          {groups.map((group, g) => (
            <GroupInputs key={g} {...props} group={group} g={g} />
          ))}
          <p>
            <button
              class="btn btn-secondary btn-sm"
              formaction="/segments/form?do=group"
              {...LIVE}
              hx-post="/segments/form?do=group"
            >
              {t.segments.addGroup}
            </button>
          </p>
          <p class="hint">{t.segments.notHint}</p>
          <datalist id="tag-names">
            {props.tags.map((name) => (
              <option value={name} key={name} />
            ))}
          </datalist>
          <div
            hx-post="/segments/count"
            hx-include="#segment-form"
            hx-trigger="input delay:500ms from:#segment-filter"
            hx-target="#segment-count"
            hx-swap="outerHTML"
            hx-sync="this:replace"
          ></div>
          <CountBox count={count} />
        </div>
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <button class="btn btn-secondary" formaction="/segments/form">
            {t.segments.check}
          </button>
          <a class="btn btn-secondary" href={back.to}>
            {t.form.cancel}
          </a>
        </div>
      </KeptForm>
    </>
  );
}

/** The conditions of a form in words; undefined if they are none yet. */
function groupWords(values: FormValues, names: FilterNames, words: Pick<Reader, 't' | 'format'>): string | undefined {
  try {
    const { filter } = filterOf(groupsIn(values, names.fields), names.fields);
    return filterSentence(filter as SegmentFilter, { ...words, names });
  } catch {
    return undefined;
  }
}

function GroupInputs(props: GroupProps) {
  const { group, g } = props;
  const { t } = useReader();
  const name = `g${g}.match`;
  const isInner = g > 0;
  return (
    <fieldset class={isInner ? 'group inner' : 'group'}>
      <legend class={isInner ? 'form-label' : 'visually-hidden'}>
        {isInner ? t.segments.group(g) : t.segments.filter}
      </legend>
      <div class="field">
        <label class="visually-hidden" for={`f-${name}`}>
          {t.segments.matchOf}
        </label>
        <select class="form-select" id={`f-${name}`} name={name}>
          {(['all', 'any'] as const).map((match) => (
            <option key={match} value={match} selected={group.match === match}>
              {t.segments.match[match]}
            </option>
          ))}
        </select>
      </div>
      {group.rows.map((row, r) => (
        <RowInputs key={r} {...props} row={row} r={r} />
      ))}
      <div class="actions">
        <button class="btn btn-secondary btn-sm" {...live(`add.${g}`)}>
          {t.segments.add}
        </button>
        {isInner && (
          <button class="btn btn-quiet btn-sm" {...live(`ungroup.${g}`)}>
            {t.segments.removeGroup}
          </button>
        )}
      </div>
    </fieldset>
  );
}

interface CountProps {
  count: SegmentCount | null;
  /** It took too long with much time, too. */
  isLast?: boolean;
  /** The saved segment; else the filter of the form is counted. */
  of?: number;
}

/** How many belong to it and who the first are. If that is not known yet, a script asks again, with more time. */
export function CountBox({ count, isLast = false, of }: CountProps) {
  const { t } = useReader();
  if (count === null) return <div id="segment-count" class="count" aria-live="polite"></div>;
  const isKnown = count.count !== null;
  const again =
    of === undefined
      ? { 'hx-post': '/segments/count?patient=1', 'hx-include': '#segment-form' }
      : { 'hx-get': `/segments/${of}/count` };
  return (
    <div
      id="segment-count"
      class="count"
      aria-live="polite"
      {...(!isKnown && !isLast && { ...again, 'hx-trigger': 'load delay:1s', 'hx-swap': 'outerHTML' })}
    >
      <p>
        {count.count === null
          ? isLast
            ? t.segments.tooSlow
            : t.segments.counting
          : count.count === 0
            ? t.segments.nobody
            : t.segments.found(count.count)}
      </p>
      <Sample count={count} />
    </div>
  );
}

function Sample({ count: { sample } }: { count: SegmentCount }) {
  const { t } = useReader();
  if (sample.length === 0) return null;
  return (
    <>
      <h3>{t.segments.firstOnes}</h3>
      <ul class="plain">
        {sample.map(({ id, email, fullName }) => (
          <li key={id}>
            <a href={`/clients/${id}`}>{email}</a> {fullName}
          </li>
        ))}
      </ul>
    </>
  );
}
