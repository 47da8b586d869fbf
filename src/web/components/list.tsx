import type { ComponentChildren } from 'preact';
import type { Page } from '../../domain/paging';
import { useReader } from '../reader';
import { PAGE_PARAMETERS } from '../trail';
import { Icon } from './icon';
import { Pager } from './pager';

interface HeadProps {
  title: string;
  children?: ComponentChildren;
  back?: { to: string; text: string };
  chip?: ComponentChildren;
}

/** The page's heading, with its main action at the right. */
export function PageHead({ title, back, chip, children }: HeadProps) {
  return (
    <div class="page-head">
      <div class="page-title">
        {back && (
          <a class="back" href={back.to}>
            ← {back.text}
          </a>
        )}
        <h1>
          {title} {chip}
        </h1>
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}

/** A column of a table: its head, which on a phone is shown before each cell, and what a row shows in it. */
export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** The class of its cells; the head of a column of numbers (`num`) is aligned with them. */
  class?: string;
  /** The order that its head offers, as the parameter `sort` says it; a second click turns it round. */
  sort?: string;
  /** Whether it says nothing about a row. A column that says nothing about any is left out. */
  isZero?: (row: T) => boolean;
}

interface TableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** The present order, if heads offer others: `email`, or `-email` for the other way round. */
  sorted?: string;
}

/** On a phone what these cells show stands below their heads; in others it stands beside the head, as one thing. */
const BLOCKS = /main-cell|response-cell|result-cell|tick/;

/** A table that becomes cards on a phone; ARIA roles are given, because CSS `display` removes the implicit ones. */
export function Table<T>({ caption, columns: all, rows, sorted }: TableProps<T>) {
  const columns = all.filter(({ isZero }) => !isZero || !rows.every(isZero));
  return (
    <table class="table rows" role="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ head, class: name, sort }) => (
            <th
              role="columnheader"
              scope="col"
              class={name === 'num' ? name : undefined}
              aria-sort={sort === undefined || sorted === undefined ? undefined : directionOf(sort, sorted)}
              key={head}
            >
              {sort === undefined ? head : <SortLink text={head} sort={sort} sorted={sorted} />}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row, i) => (
          <tr role="row" key={i}>
            {columns.map(({ head, cell, class: name }) => (
              <td role="cell" data-label={head} class={name} key={head}>
                {BLOCKS.test(name ?? '') ? cell(row) : <div>{cell(row)}</div>}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const turned = (sort: string): string => (sort.startsWith('-') ? sort.slice(1) : `-${sort}`);

const directionOf = (sort: string, sorted: string) => {
  if (sorted !== sort && sorted !== turned(sort)) return 'none';
  return sorted.startsWith('-') ? 'descending' : 'ascending';
};

/** A list in another order begins with its first page. */
function SortLink({ text, sort, sorted }: { text: string; sort: string; sorted: string | undefined }) {
  const { path, query } = useReader();
  const link = new URLSearchParams(query);
  for (const name of PAGE_PARAMETERS) link.delete(name);
  link.set('sort', sorted === sort ? turned(sort) : sort);
  return <a href={`${path.split('?')[0]}?${link.toString()}`}>{text}</a>;
}

interface ResultsProps<T> extends Omit<TableProps<T>, 'rows'> {
  page: Page<T>;
  /** Shown if there is nothing yet. Without it, or after a search, the text is that nothing was found. */
  empty?: EmptyProps;
  /** Above the table. */
  children?: ComponentChildren;
  attributes?: Record<string, string | boolean>;
}

/** What in the address of a list does not narrow it. */
export const NO_FILTERS = [...PAGE_PARAMETERS, 'sort', 'columns', 'searchIn'];

/** The rows of a list, and the links to other pages. */
export function Results<T>({ page, empty, children, attributes, ...table }: ResultsProps<T>) {
  const { t, query } = useReader();
  const searched = [...query].some(([name, value]) => value && !NO_FILTERS.includes(name));
  return (
    <div id="results" {...attributes}>
      {children}
      {page.items.length > 0 ? (
        <Table rows={page.items} {...table} />
      ) : (
        <Empty {...(empty && !searched ? empty : { text: t.list.nothingFound })} />
      )}
      <Pager {...page} />
    </div>
  );
}

/** An answer of a mail server; a long one is folded to its first line. */
export function Reply({ text }: { text: string }) {
  if (text.length <= 160) return <code class="reply">{text}</code>;
  return (
    <details>
      <summary>
        <code class="reply-line">{text}</code>
      </summary>
      <code class="reply">{text}</code>
    </details>
  );
}

interface EmptyProps {
  text: string;
  action?: { to: string; text: string };
  /** Made-up rows that show what the list will be like. */
  sample?: readonly { name: string; detail: string; chip: string }[];
}

/** Nothing here yet: one sentence, one button, and a picture of what there will be. */
export function Empty({ text, action, sample }: EmptyProps) {
  const { t } = useReader();
  return (
    <div class="empty">
      <p>{text}</p>
      {action && (
        <a class="btn btn-primary" href={action.to}>
          {action.text}
        </a>
      )}
      {sample && (
        <div class="sketch" aria-hidden="true">
          <p class="hint">{t.shell.example}</p>
          {sample.map(({ name, detail, chip }) => (
            <div class="line" key={name}>
              <span>
                <b>{name}</b> <span class="hint">{detail}</span>
              </span>
              <span class="chip chip-quiet">{chip}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** For viewers who see objects of others: a filter by owner. */
export function OwnerPick() {
  const { t, owners } = useReader();
  if (!owners) return null;
  const options = owners.map(({ id, email }) => ({ value: String(id), text: email }));
  return <Pick name="ownerId" label={t.field.owner} all={t.list.all} options={options} />;
}

export function Owner({ id }: { id: number }) {
  const { t, owners } = useReader();
  if (!owners) return null;
  return <div class="hint">{`${t.field.owner}: ${owners.find((owner) => owner.id === id)?.email ?? id}`}</div>;
}

/**
 * A search form that filters while the user types; without JavaScript by its button. The link of the list's download
 * (`#csv`) is kept in step.
 */
export function Search({
  label,
  children,
  results = '#results',
}: {
  label?: string;
  children?: ComponentChildren;
  results?: string;
}) {
  const { t, path, query } = useReader();
  const base = path.split('?')[0] ?? '/';
  return (
    <form
      class="search"
      method="get"
      action={base}
      role="search"
      hx-get={base}
      hx-trigger="input changed delay:300ms, change, submit"
      hx-target={results}
      hx-select={results}
      hx-swap="outerHTML"
      hx-select-oob="#csv"
      hx-sync="this:replace"
    >
      {label && (
        <div class="search-box">
          <Icon name="search" />
          <input
            class="form-control"
            type="search"
            name="search"
            value={query.get('search') ?? ''}
            placeholder={label}
            aria-label={label}
            maxlength={200}
          />
        </div>
      )}
      {children}
      <button class="btn btn-secondary">{t.list.filter}</button>
    </form>
  );
}

interface PickProps {
  name: string;
  label: string;
  all?: string;
  options: readonly { value: string; text: string }[];
  class?: string;
  /** What is chosen, if not what the address says. */
  chosen?: string;
}

/** One filter of a list. */
export function Pick({ name, label, all, options, class: look = '', chosen }: PickProps) {
  const { query } = useReader();
  const value = chosen ?? query.get(name);
  return (
    <label class={`pick ${look}`.trim()}>
      <span>{label}</span>
      <select class="form-select" name={name}>
        {all !== undefined && <option value="">{all}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}
