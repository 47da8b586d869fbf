import type { ComponentChildren } from 'preact';
import { useReader } from '../reader';
import { Icon } from './icon';

interface HeadProps {
  title: string;
  children?: ComponentChildren;
  back?: { to: string; text: string };
  chip?: ComponentChildren;
}

/** The page's heading, with its one obvious action at the right. */
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

/** A table that becomes cards on a phone; roles are named, because `display` takes them away. */
export function Table({
  caption,
  heads,
  children,
}: {
  caption: string;
  heads: (string | { text: string; class: string })[];
  children: ComponentChildren;
}) {
  return (
    <table class="table rows" role="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {heads.map((head) => {
            const { text, class: name } = typeof head === 'string' ? { text: head, class: undefined } : head;
            return (
              <th role="columnheader" scope="col" class={name} key={text}>
                {text}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

export function Row({ children, class: name }: { children: ComponentChildren; class?: string }) {
  return (
    <tr role="row" class={name}>
      {children}
    </tr>
  );
}

export function Cell({
  label,
  children,
  class: name,
}: {
  label: string;
  children?: ComponentChildren;
  class?: string;
}) {
  return (
    <td role="cell" data-label={label} class={name}>
      {children}
    </td>
  );
}

/** What a mail server said; a long answer opens from its first line. */
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

/** Nothing here yet: one sentence and one button. */
export function Empty({ text, action }: { text: string; action?: { to: string; text: string } }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {action && (
        <a class="btn btn-primary" href={action.to}>
          {action.text}
        </a>
      )}
    </div>
  );
}

/** On to the next page of a list, or back to the first. */
export function Pager({ nextCursor }: { nextCursor: string | null }) {
  const { t, path, query } = useReader();
  const base = path.split('?')[0] ?? '/';
  const link = (cursor: string | null) => {
    const next = new URLSearchParams(query);
    next.delete('cursor');
    if (cursor) next.set('cursor', cursor);
    const text = next.toString();
    return text ? `${base}?${text}` : base;
  };
  if (!nextCursor && !query.get('cursor')) return null;
  return (
    <nav class="pager" aria-label={t.list.pages}>
      {query.get('cursor') && (
        <a class="btn btn-secondary" href={link(null)}>
          {t.list.first}
        </a>
      )}
      {nextCursor && (
        <a class="btn btn-secondary" href={link(nextCursor)} rel="next">
          {t.list.next}
        </a>
      )}
    </nav>
  );
}

/** For those who see the things of others: whose. */
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
 * A search form that filters while one types; without JavaScript by its button. The list's download (`#csv`) follows it.
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
}

/** One filter of a list. */
export function Pick({ name, label, all, options }: PickProps) {
  const { query } = useReader();
  return (
    <label class="pick">
      <span>{label}</span>
      <select class="form-select" name={name}>
        {all !== undefined && <option value="">{all}</option>}
        {options.map(({ value, text }) => (
          <option key={value} value={value} selected={query.get(name) === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
