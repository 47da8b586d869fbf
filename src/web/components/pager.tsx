import type { Page } from '../../domain/paging';
import { useReader } from '../reader';
import { placeOf } from '../trail';

/** Which rows of a list the page shows, and links to the pages before and after it. Nothing for a list of one page. */
export function Pager({ items, nextCursor, total }: Page<unknown>) {
  const { t, path, query, format } = useReader();
  const base = path.split('?')[0] ?? '/';
  const { first, previous, next, start } = placeOf(query, items.length, nextCursor);
  if (next === null && start === null) return null;
  const last = first === null ? 0 : first + items.length - 1;
  // The last page tells the total, if nothing else does.
  const all = next === null ? Math.max(last, total ?? 0) : total;
  return (
    <nav class="pager" aria-label={t.list.pages}>
      {first !== null && items.length > 0 && (
        <span class="hint">
          {t.finding.range(format.number(first), format.number(last), all === undefined ? null : format.number(all))}
        </span>
      )}
      {start !== null && (
        <a class="btn btn-secondary" href={base + start}>
          {t.list.first}
        </a>
      )}
      {previous !== null && (
        <a class="btn btn-secondary" href={base + previous} rel="prev">
          {t.finding.previous}
        </a>
      )}
      {next !== null && (
        <a class="btn btn-secondary" href={base + next} rel="next">
          {t.list.next}
        </a>
      )}
    </nav>
  );
}
