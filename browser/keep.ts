/**
 * Keeps what is typed into a form with `data-kept` (its page): as a draft on the server some seconds after each change,
 * and in this browser as long as the server does not have it. Before the form is sent its text is kept once more, by
 * which it is known that there is a connection, a session and a fresh token; if not, the page stays as it is.
 */

interface Texts {
  typing: string;
  kept: string;
  now: string;
  here: string;
  away: string;
  busy: string;
  over: string;
  signIn: string;
  other: string;
}

/** What came of keeping: `refused` is for the form itself to find out and explain. */
type Outcome = 'kept' | 'refused' | 'over' | 'other' | 'away' | 'busy';

const [AFTER_MS, AGAIN_MS, PATIENCE_MS, LOOK_MS] = [1_500, 5_000, 15_000, 5_000];
/** What belongs to one copy of the form, and what to the version of its thing. */
const NOT_TYPED = new Set(['_csrf', 'key', 'page', 'for', 'previewId', 'version', 'was']);
/** Not followed to the page for signing in, but told. */
const AS_SCRIPT = { 'HX-Request': 'true' };

class KeptForm {
  private readonly page: string;
  private readonly user: string;
  private readonly texts: Texts;
  private readonly name: string;
  private readonly note: HTMLElement | null;
  private readonly problem: HTMLElement | null;
  private readonly shown: string;
  private last: string;
  private keptAt: number | null = null;
  private timer: number | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private mayPass = false;
  private isSending = false;
  isLeft = false;

  constructor(private readonly form: HTMLFormElement) {
    const { kept = '', keptUser = '', keptTexts = '{}' } = form.dataset;
    this.page = kept;
    this.user = keptUser;
    this.texts = JSON.parse(keptTexts) as Texts;
    this.name = `gonets-draft:${keptUser}:${kept}`;
    this.note = form.querySelector('[data-kept-note]');
    this.problem = form.querySelector('[data-kept-problem]');
    this.last = this.shown = this.typed();
  }

  /** Text that the server did not take when it was typed is brought to it now, and the page shows it. */
  async start(): Promise<void> {
    window.setInterval(() => this.tell(), LOOK_MS);
    const here = this.stored();
    if (here === null) return;
    if (typedIn(new URLSearchParams(here)) === this.shown) return this.forget(here);
    const body = new URLSearchParams(here);
    body.set('_csrf', this.token());
    if ((await this.post(body)) !== 'kept') return;
    this.forget(here);
    this.isLeft = true;
    location.replace(this.page);
  }

  get isChanged(): boolean {
    return !this.isLeft && this.typed() !== this.shown;
  }

  /** Something may have been typed. */
  touched(): void {
    const typed = this.typed();
    if (typed === this.last || this.isLeft) return;
    this.last = typed;
    this.store();
    this.keptAt = null;
    this.say(this.texts.typing);
    this.later(AFTER_MS);
  }

  /** @returns whether the browser may send the form now */
  submitted(submitter: HTMLElement | null): boolean {
    if (this.mayPass) {
      this.mayPass = false;
      return true;
    }
    if (!this.isSending) void this.send(submitter);
    return false;
  }

  retry(): void {
    if (this.stored() !== null && !this.isSending) this.later(0);
  }

  back(): void {
    this.isLeft = this.isSending = false;
    this.touched();
  }

  forget(what = this.stored()): void {
    if (what === this.stored()) storage((all) => all.removeItem(this.name));
  }

  private async send(submitter: HTMLElement | null): Promise<void> {
    this.isSending = true;
    submitter?.setAttribute('aria-busy', 'true');
    window.clearTimeout(this.timer);
    this.store();
    const outcome = await this.keep();
    this.isSending = false;
    submitter?.removeAttribute('aria-busy');
    if (outcome === 'over') return this.signIn();
    if (outcome !== 'kept' && outcome !== 'refused') return this.warn(this.texts[outcome]);
    this.mayPass = this.isLeft = true;
    this.form.requestSubmit(submitter);
    // The form was not valid for the browser.
    if (this.mayPass) this.mayPass = this.isLeft = false;
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      void this.keep().then((outcome) => {
        if (outcome === 'kept' || outcome === 'refused' || this.isLeft) return;
        if (outcome === 'over') this.warn(this.texts.over, this.texts.signIn);
        else if (outcome === 'other') this.warn(this.texts.other);
        else {
          this.say(this.texts.here);
          this.later(AGAIN_MS);
        }
      });
    }, ms);
  }

  /** One after the other, so that an older text never replaces a newer one. */
  private keep(): Promise<Outcome> {
    const next = this.queue.then(async () => {
      const here = this.stored();
      const outcome = await this.post(this.fields());
      if (outcome !== 'kept') return outcome;
      this.forget(here);
      this.warn('');
      this.keptAt = Date.now();
      this.tell();
      return outcome;
    });
    this.queue = next;
    return next;
  }

  private async post(body: URLSearchParams, isAgain = false): Promise<Outcome> {
    const answer = await ask('/drafts', { method: 'POST', body });
    if (answer === null) return 'away';
    if (answer.ok) return 'kept';
    if (answer.status === 401) return 'over';
    if (answer.status >= 500) return 'busy';
    if (answer.status !== 403 || isAgain) return 'refused';
    const fresh = await ask('/drafts/token', {});
    if (fresh === null) return 'away';
    if (!fresh.ok) return fresh.status === 401 ? 'over' : 'busy';
    const { userId, csrfToken } = (await fresh.json()) as { userId: number; csrfToken: string };
    if (String(userId) !== this.user) return 'other';
    for (const field of document.querySelectorAll<HTMLInputElement>('input[name=_csrf]')) field.value = csrfToken;
    body.set('_csrf', csrfToken);
    return this.post(body, true);
  }

  private signIn(): void {
    this.isLeft = true;
    location.assign(this.signInUrl());
  }

  private signInUrl(): string {
    return `/sign-in?${new URLSearchParams({ next: this.page, kept: '1' })}`;
  }

  private fields(): URLSearchParams {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === 'string') fields.append(name, value);
    return fields;
  }

  private typed(): string {
    return typedIn(this.fields());
  }

  private token(): string {
    return this.form.querySelector<HTMLInputElement>('input[name=_csrf]')?.value ?? '';
  }

  private stored(): string | null {
    return storage((all) => all.getItem(this.name)) ?? null;
  }

  private store(): void {
    const fields = this.fields();
    fields.delete('_csrf');
    storage((all) => all.setItem(this.name, fields.toString()));
  }

  private say(text: string): void {
    if (!this.note) return;
    this.note.textContent = text;
    this.note.hidden = text === '';
  }

  private warn(text: string, link?: string): void {
    if (!this.problem) return;
    // Read aloud when it is said, and not announced as an empty alert before.
    this.problem.setAttribute('role', 'alert');
    this.problem.hidden = text === '';
    this.problem.textContent = text;
    if (text !== '') this.say('');
    if (!link) return;
    const way = document.createElement('a');
    way.href = this.signInUrl();
    way.textContent = link;
    way.addEventListener('click', () => (this.isLeft = true));
    this.problem.append(' ', way);
  }

  private tell(): void {
    if (this.keptAt === null) return;
    const seconds = Math.floor((Date.now() - this.keptAt) / 1_000);
    const units = new Intl.RelativeTimeFormat(this.form.dataset.keptLanguage, { numeric: 'always' });
    const ago =
      seconds < 5
        ? this.texts.now
        : seconds < 60
          ? units.format(-(Math.floor(seconds / 5) * 5), 'second')
          : units.format(-Math.floor(seconds / 60), 'minute');
    this.say(this.texts.kept.replace('{ago}', ago));
  }
}

function typedIn(fields: URLSearchParams): string {
  const typed = new URLSearchParams();
  for (const [name, value] of fields) if (!NOT_TYPED.has(name)) typed.append(name, value.replace(/\r\n?/g, '\n'));
  return typed.toString();
}

/** The answer, or null if there is none. */
async function ask(path: string, request: RequestInit): Promise<Response | null> {
  try {
    return await fetch(path, { ...request, headers: AS_SCRIPT, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return null;
  }
}

/** Browsers may have none, or no room in it. */
function storage<T>(use: (all: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}

export function watchKeptForms(): void {
  const forms = new Map<HTMLFormElement, KeptForm>();
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-kept]')) forms.set(form, new KeptForm(form));
  if (forms.size === 0) return;
  const all = (what: (kept: KeptForm) => void) => forms.forEach(what);
  for (const name of ['input', 'change', 'htmx:after:swap'])
    document.addEventListener(name, () => all((kept) => kept.touched()));
  document.addEventListener(
    'submit',
    (event) => {
      const form = event.target as HTMLFormElement;
      const kept = forms.get(form);
      if (kept && !kept.submitted(event.submitter)) event.preventDefault();
      if (form.id === 'discard-draft') all((each) => each.forget());
      // Who answers a question, or discards the text, has decided.
      if (form.id === 'discard-draft' || form.closest('dialog')) all((each) => (each.isLeft = true));
    },
    { capture: true },
  );
  window.addEventListener('beforeunload', (event) => {
    if ([...forms.values()].some((kept) => kept.isChanged)) event.preventDefault();
  });
  window.addEventListener('pageshow', (event) => event.persisted && all((kept) => kept.back()));
  window.addEventListener('online', () => all((kept) => kept.retry()));
  all((kept) => void kept.start());
}
