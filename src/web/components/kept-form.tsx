import type { ComponentChildren } from 'preact';
import { formPage } from '../../domain/form-pages';
import { newFormKey } from '../form-key';
import type { FormState, FormValues, Meanwhile } from '../form-state';
import { KEPT_APART } from '../kept-form';
import { useReader } from '../reader';
import { CsrfField, PostForm } from './form';

interface KeptFormProps {
  form: FormState;
  /** Also the path of the form's own page. */
  action: string;
  children: ComponentChildren;
  /** The names of the fields, to be said of those that others changed. */
  labels: Record<string, string>;
  /** A value in words, if it does not say itself what it means. */
  words?: (name: string, values: FormValues) => string | undefined;
  class?: string;
  id?: string;
  /** The button that Enter presses, if it is not the first one that is seen. */
  first?: ComponentChildren;
}

/**
 * A form whose text is not lost: it knows which version of its thing it was opened with, its script keeps drafts
 * (browser/keep.ts), and it shows what others changed meanwhile.
 */
export function KeptForm({ form, action, children, labels, words, first, ...rest }: KeptFormProps) {
  const { t, user, path, language, draft } = useReader();
  const page = formPage(form.values.page ?? path) ?? action;
  const { version, was, draft: keptAt = draft?.keptAt.toISOString() ?? '' } = form.values;
  const isLate = form.meanwhile !== undefined || form.draftOf !== undefined;
  return (
    <>
      {isLate && <Discard page={page} />}
      <PostForm
        action={action}
        {...rest}
        data-kept={page}
        data-kept-apart={KEPT_APART}
        data-kept-user={user?.id}
        data-kept-language={language}
        data-kept-texts={JSON.stringify(t.kept.live)}
      >
        {first}
        <input type="hidden" name="page" value={page} />
        {user && <input type="hidden" name="for" value={String(user.id)} />}
        {version !== undefined && <input type="hidden" name="version" value={version} />}
        {was !== undefined && <input type="hidden" name="was" value={was} />}
        <input type="hidden" name="draft" value={keptAt} />
        {form.meanwhile ? (
          <ChangedMeanwhile meanwhile={form.meanwhile} labels={labels} {...(words && { words })} />
        ) : (
          form.draftOf && <Draft keptAt={form.draftOf} />
        )}
        {children}
        <div class="kept-note">
          <p class="hint" data-kept-note hidden></p>
          <p class="alert alert-warning" data-kept-problem hidden></p>
        </div>
      </PostForm>
    </>
  );
}

/** Enter in a field saves, where the first button that is seen does something else. */
export function FirstSave() {
  const { t } = useReader();
  return (
    <button class="visually-hidden" tabindex={-1} aria-hidden="true">
      {t.form.save}
    </button>
  );
}

const DISCARD = 'discard-draft';

/** A form of its own: its button stands within the other form, where Enter must not press it. */
function Discard({ page }: { page: string }) {
  const { csrfToken } = useReader();
  return (
    <form id={DISCARD} method="post" action={`/drafts/discard?page=${encodeURIComponent(page)}`} hidden>
      <CsrfField token={csrfToken} />
      <input type="hidden" name="key" value={newFormKey()} />
    </form>
  );
}

function Draft({ keptAt }: { keptAt: Date }) {
  const { t, format } = useReader();
  return (
    <div class="kept-bar">
      <p>{t.kept.draft(format.time(keptAt))}</p>
      <button class="btn btn-sm btn-secondary" form={DISCARD}>
        {t.kept.discard}
      </button>
    </div>
  );
}

interface ChangedProps extends Pick<KeptFormProps, 'labels' | 'words'> {
  meanwhile: Meanwhile;
}

/** What others saved beside what was typed. "Keep mine" saves the form, which has the present version by now. */
function ChangedMeanwhile({ meanwhile: { by, at, differences, taken }, labels, words }: ChangedProps) {
  const { t, user, format } = useReader();
  const when = format.time(new Date(at));
  const said = (name: string, values: FormValues) =>
    words?.(name, values) ?? (Object.values(values).join(', ') || t.kept.nothing);
  const label = (name: string) => labels[name] ?? name;
  return (
    <section class="kept-conflict" role="alert" tabindex={-1} autofocus aria-labelledby="meanwhile">
      <h2 id="meanwhile">
        {by === null
          ? t.kept.changedAt(when)
          : by.id === user?.id
            ? t.kept.changedByYou(when)
            : t.kept.changedBy(by.name, when)}
      </h2>
      <p>{differences.length > 0 ? t.kept.notSaved : t.kept.mergeable}</p>
      {differences.length > 0 && (
        <>
          <h3>{t.kept.both}</h3>
          <dl class="kept-both">
            {differences.map(({ name, theirs, mine }) => (
              <div key={name}>
                <dt>{label(name)}</dt>
                <dd>
                  <strong>{t.kept.theirs}</strong>
                  <div class="kept-text" tabindex={0}>
                    {said(name, theirs)}
                  </div>
                </dd>
                <dd>
                  <strong>{t.kept.mine}</strong>
                  <div class="kept-text" tabindex={0}>
                    {said(name, mine)}
                  </div>
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {taken.length > 0 && <p>{t.kept.taken(taken.map(label).join(', '))}</p>}
      <div class="actions">
        <button class="btn btn-primary">{t.kept.keepMine}</button>
        <button class="btn btn-secondary" form={DISCARD}>
          {t.kept.takeTheirs}
        </button>
      </div>
    </section>
  );
}
