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
  held: string;
  unsent: string;
  useUnsent: string;
  dropUnsent: string;
}

/** What came of keeping: `refused` is for the form itself to find out and explain. */
type Outcome = 'kept' | 'refused' | 'over' | 'other' | 'away' | 'busy';

const [AFTER_MS, AGAIN_MS, PATIENCE_MS, LOOK_MS] = [1_500, 5_000, 15_000, 5_000];
/** What belongs to one copy of the form, and what to the version of its thing. */
const NOT_TYPED = new Set(['_csrf', 'key', 'page', 'for', 'previewId', 'version', 'was', 'draft']);
/** Not followed to the page for signing in, but told. */
const AS_SCRIPT = { 'HX-Request': 'true' };

class KeptForm {
  private readonly page: string;
  private readonly user: string;
  private readonly texts: Texts;
  private readonly name: string;
  private readonly windows: BroadcastChannel;
  private readonly note: HTMLElement | null;
  private readonly problem: HTMLElement | null;
  private readonly shown: string;
  private last: string;
  /** What this page itself has put into the browser's storage. */
  private mine: string | null = null;
  private bar: HTMLElement | null = null;
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
    this.windows = new BroadcastChannel(this.name);
    this.windows.addEventListener('message', ({ data }) => this.draftGone(data as string));
  }

  /**
   * Text that the server did not take when it was typed is brought to it now, and the page shows it. It is offered
   * instead where it would take the place of a draft or of what is typed, and if the server does not take it again.
   */
  async start(): Promise<void> {
    window.setInterval(() => this.look(), LOOK_MS);
    const here = this.unsent();
    if (here === null) return;
    if (typedIn(new URLSearchParams(here)) === this.shown) return this.forget(here);
    if (this.isDraft || (await this.bring(here, false)) !== 'kept') this.offer();
  }

  /** @returns `refused`, too, if something is typed that it would replace */
  private bring(here: string, replaces: boolean): Promise<Outcome> {
    return this.inTurn(async () => {
      const mayReplace = () => replaces || !this.isChanged;
      const body = new URLSearchParams(here);
      body.set('_csrf', this.token());
      const outcome = mayReplace() ? await this.post(body) : 'refused';
      if (outcome !== 'kept' || !mayReplace()) return outcome === 'kept' ? 'refused' : outcome;
      this.forget(here);
      // From here to the next page nothing can be typed that would be lost.
      this.isLeft = this.form.inert = true;
      location.replace(this.page);
      return outcome;
    });
  }

  private offer(): void {
    const { unsent, useUnsent, dropUnsent } = this.texts;
    const bar = document.createElement('div');
    bar.className = 'kept-bar';
    bar.dataset.keptUnsent = '';
    bar.setAttribute('role', 'status');
    const said = document.createElement('p');
    said.textContent = unsent;
    const button = (text: string, press: (here: string) => void) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.className = 'btn btn-sm btn-secondary';
      made.textContent = text;
      made.addEventListener('click', () => {
        const here = this.unsent();
        if (here === null) this.look();
        else press(here);
      });
      return made;
    };
    const use = button(useUnsent, (here) => {
      window.clearTimeout(this.timer);
      void this.bring(here, true).then((outcome) => {
        if (outcome === 'over') this.warn(this.texts.over, this.texts.signIn);
        else if (outcome !== 'kept') this.warn(outcome === 'refused' ? this.texts.busy : this.texts[outcome]);
      });
    });
    const drop = button(dropUnsent, (here) => {
      this.forget(here);
      this.look();
      if (this.isChanged) this.later(0);
    });
    bar.append(said, use, drop);
    this.form.prepend(bar);
    this.bar = bar;
  }

  /** Other windows are told that the draft, which they share, goes with what is saved here. */
  private tellWindows(): void {
    this.windows.postMessage(this.typed());
  }

  private draftGone(typed: string): void {
    if (this.isLeft || this.typed() === typed || (!this.isChanged && !this.isDraft)) return;
    this.keptAt = null;
    this.store();
    this.say(this.texts.typing);
    this.later(LOOK_MS);
  }

  private look(): void {
    this.tell();
    if (this.unsent() !== null) return;
    this.bar?.remove();
    this.bar = null;
  }

  /** Whether the page shows a draft, or what others changed beside it. */
  private get isDraft(): boolean {
    return this.form.querySelector('[form=discard-draft]') !== null;
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
    if (this.mine !== null && this.mine === this.stored() && !this.isSending) this.later(0);
  }

  /** The draft that windows share is discarded here: the others keep theirs again. */
  discarded(): void {
    window.clearTimeout(this.timer);
    this.forget();
    this.tellWindows();
  }

  back(): void {
    this.isLeft = this.isSending = this.form.inert = false;
    this.touched();
  }

  /** @param what not more than this: another window may have put its text there since */
  forget(what = this.mine): void {
    if (what !== null && what === this.stored()) storage((all) => all.removeItem(this.name));
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
    if (outcome !== 'kept' && outcome !== 'refused')
      return this.warn(this.unsent() === null ? this.texts[outcome] : this.texts.held);
    this.mayPass = this.isLeft = true;
    this.form.requestSubmit(submitter);
    // The form was not valid for the browser.
    if (this.mayPass) this.mayPass = this.isLeft = false;
    else this.tellWindows();
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      void this.keep().then((outcome) => {
        if (outcome === 'kept' || outcome === 'refused' || this.isLeft) return;
        if (outcome === 'over') this.warn(this.texts.over, this.texts.signIn);
        else if (outcome === 'other') this.warn(this.texts.other);
        else {
          this.say(this.unsent() === null ? this.texts.here : this.texts.held);
          this.later(AGAIN_MS);
        }
      });
    }, ms);
  }

  private keep(): Promise<Outcome> {
    return this.inTurn(async () => {
      const here = this.mine;
      const outcome = await this.post(this.fields());
      if (outcome !== 'kept') return outcome;
      this.forget(here);
      this.warn('');
      this.keptAt = Date.now();
      this.tell();
      return outcome;
    });
  }

  /** One after the other, so that an older text never replaces a newer one. */
  private inTurn(work: () => Promise<Outcome>): Promise<Outcome> {
    const next = this.queue.then(work);
    this.queue = next;
    return next;
  }

  private async post(body: URLSearchParams, isAgain = false): Promise<Outcome> {
    const answer = await ask('/drafts', { method: 'POST', body });
    if (answer === null) return 'away';
    if (answer.ok) return 'kept';
    if (answer.status === 401) return 'over';
    if (answer.status >= 500 || answer.status === 429) return 'busy';
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

  /** Text in the storage that is not of this page: of an earlier visit, or of another window. */
  private unsent(): string | null {
    const here = this.stored();
    return here === this.mine ? null : here;
  }

  /** Never over the only copy of another text. */
  private store(): void {
    if (this.unsent() !== null) return;
    const fields = this.fields();
    fields.delete('_csrf');
    const here = fields.toString();
    storage((all) => {
      all.setItem(this.name, here);
      this.mine = here;
    });
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
      if (form.id === 'discard-draft') all((each) => each.discarded());
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
