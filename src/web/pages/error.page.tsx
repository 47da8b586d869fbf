import type { FormDraft } from '../../features/drafts/form-drafts.service';
import type { Problem } from '../../http/problem.filter';
import { formPage } from '../../domain/form-pages';
import { PostForm } from '../components/form';
import { causeOf } from '../notice';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';

/** The list that an address belongs to, by its first part. */
const LISTS = ['mailings', 'messages', 'clients', 'segments', 'suppressions', 'attempts', 'reports'] as const;

/** `back`: the page on which a form was sent that went wrong. */
export function ErrorPage({ problem, back }: { problem: Problem; back: string | null }) {
  const { t, user, path, draft } = useReader();
  const page = problem.status === 404 && draft ? formPage(path) : null;
  const list = LISTS.find((name) => path.startsWith(`/${name}/`));
  const [first, ...others] = [
    ...(back === null ? [] : [{ to: back, text: t.shell.back }]),
    ...(user && list && problem.status === 404
      ? [{ to: `/${list}`, text: t.menu[list satisfies keyof Texts['menu']] }]
      : []),
    { to: '/', text: t.errors.home },
  ];
  // Strangers come here by links of letters; our pages are not for them.
  const isTheirs = !user && problem.status === 404 && /^\/[uf]\//.test(path);
  return (
    <div class="empty error-page">
      <p class="error-code" aria-hidden="true">
        {problem.status}
      </p>
      <h1>{t.errors.title(problem.status)}</h1>
      <p>{isTheirs ? t.errors.brokenLink : causeOf(problem, t)}</p>
      {!isTheirs && (
        <p class="actions">
          <a class="btn btn-primary" href={first?.to} {...(back !== null && { 'data-back': true })}>
            {first?.text}
          </a>
          {others.map(({ to, text }) => (
            <a class="btn btn-secondary" href={to} key={to}>
              {text}
            </a>
          ))}
        </p>
      )}
      {page && draft && <TypedText page={page} draft={draft} />}
      {problem.requestId && <p class="hint">{t.errors.requestId(problem.requestId)}</p>}
    </div>
  );
}

/** Leads what was typed about something that was deleted meanwhile to the form that makes it anew. */
function TypedText({ page, draft: { fields, keptAt } }: { page: string; draft: FormDraft }) {
  const { t } = useReader();
  const hidden = { ...fields, page, draft: keptAt.toISOString() };
  return (
    <PostForm action={page.split('?')[0] ?? page} class="kept-bar">
      <p>{t.kept.ofGone}</p>
      {Object.entries(hidden).map(([name, value]) => (
        <input type="hidden" name={name} value={value} key={name} />
      ))}
      <button class="btn btn-sm btn-secondary">{t.kept.anew}</button>
    </PostForm>
  );
}
