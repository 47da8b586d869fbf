/**
 * Keeps what is typed into a form with `data-kept` (its page): as a draft on the server some seconds after each change,
 * and in this browser as long as the server does not have it. Before the form is sent its text is kept once more, by
 * which it is known that there is a connection, a session and a fresh token; if not, the page stays as it is.
 */
import { type Outcome, postDraft } from './drafts';
import { KEPT, KeptHere, type Stored } from './kept-here';
import { keptAgo, type Texts, unsentBar } from './kept-words';

const [AFTER_MS, AGAIN_MS, LOOK_MS] = [1_500, 5_000, 5_000];

class KeptForm {
  private readonly page: string;
  private readonly user: string;
  private readonly texts: Texts;
  private readonly here: KeptHere;
  /** The names of fields that are not typed text. */
  private readonly apart: Set<string>;
  private readonly windows: BroadcastChannel;
  private readonly note: HTMLElement | null;
  private readonly problem: HTMLElement | null;
  private readonly shown: string;
  private last: string;
  private bar: HTMLElement | null = null;
  private keptAt: number | null = null;
  private timer: number | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private mayPass = false;
  private isSending = false;
  isLeft = false;

  constructor(private readonly form: HTMLFormElement) {
    const { kept = '', keptUser = '', keptTexts = '{}', keptApart = '' } = form.dataset;
    this.page = kept;
    this.user = keptUser;
    this.texts = JSON.parse(keptTexts) as Texts;
    const name = `${KEPT}${keptUser}:${kept}`;
    this.here = new KeptHere(name);
    this.apart = new Set(keptApart.split(' '));
    this.note = form.querySelector('[data-kept-note]');
    this.problem = form.querySelector('[data-kept-problem]');
    this.last = this.shown = this.typed();
    this.windows = new BroadcastChannel(name);
    this.windows.addEventListener('message', ({ data }) => this.draftGone(data as string));
  }

  /**
   * Text that the server did not take when it was typed is brought to it now, and the page shows it. It is offered
   * instead where it would take the place of what is typed, or of a draft that it does not go on from, and if the server
   * does not take it again.
   */
  async start(): Promise<void> {
    window.setInterval(() => this.look(), LOOK_MS);
    await this.here.askWindows();
    for (const other of this.here.others())
      if (this.typed(new URLSearchParams(other.text)) === this.shown) this.here.forget(other);
    const here = this.here.unsent();
    if (here === null) return;
    const draft = this.hidden('draft')?.value;
    const goesOn = !this.isDraft || (draft && new URLSearchParams(here.text).get('draft') === draft);
    if (!goesOn || (await this.bring(here, false)) !== 'kept') this.offer();
  }

  /** @returns `refused`, too, if something is typed that it would replace */
  private bring(here: Stored, replaces: boolean): Promise<Outcome> {
    return this.inTurn(async () => {
      // A form that is on its way to be saved must not be stopped by another page.
      const mayReplace = () => replaces || (!this.isChanged && !this.isLeft);
      const body = new URLSearchParams(here.text);
      body.set('_csrf', this.hidden('_csrf')?.value ?? '');
      const outcome = mayReplace() ? await postDraft(body, this.user) : 'refused';
      if (outcome !== 'kept' || !mayReplace()) return outcome === 'kept' ? 'refused' : outcome;
      this.here.forget(here);
      // From here to the next page nothing can be typed that would be lost.
      this.isLeft = this.form.inert = true;
      location.replace(this.page);
      return outcome;
    });
  }

  private offer(): void {
    const press = (then: (here: Stored) => void) => () => {
      const here = this.here.unsent();
      if (here === null) this.look();
      else then(here);
    };
    const use = press((here) => {
      window.clearTimeout(this.timer);
      void this.bring(here, true).then((outcome) => {
        if (outcome === 'over') this.warn(this.texts.over, this.texts.signIn);
        else if (outcome !== 'kept') this.warn(outcome === 'refused' ? this.texts.busy : this.texts[outcome]);
      });
    });
    const drop = press((here) => {
      this.here.forget(here);
      this.look();
      if (this.isChanged) this.later(0);
    });
    this.bar = unsentBar(this.texts, use, drop);
    this.form.prepend(this.bar);
  }

  /** The draft, which windows share, goes with what is saved or discarded in another one. */
  private draftGone(typed: string): void {
    if (this.isLeft || this.typed() === typed || (!this.isChanged && !this.isDraft)) return;
    this.keptAt = null;
    this.store();
    this.say(this.texts.typing);
    this.later(LOOK_MS);
  }

  private look(): void {
    this.tell();
    if (this.here.unsent() !== null) return;
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
    if (this.here.mine() && !this.isSending) this.later(0);
  }

  /** The draft that windows share is discarded here: the others keep theirs again. */
  discarded(): void {
    window.clearTimeout(this.timer);
    this.here.forget(this.here.mine());
    this.windows.postMessage(this.typed());
  }

  back(): void {
    this.isLeft = this.isSending = this.form.inert = false;
    this.touched();
  }

  private async send(submitter: HTMLElement | null): Promise<void> {
    this.isSending = true;
    submitter?.setAttribute('aria-busy', 'true');
    window.clearTimeout(this.timer);
    const outcome = await this.keep();
    this.isSending = false;
    submitter?.removeAttribute('aria-busy');
    const isHere = this.here.mine() !== null;
    if (outcome === 'over' && isHere) {
      this.isLeft = true;
      return location.assign(this.signInUrl());
    }
    // If this browser can't keep it, the form is sent: of a session that is over the service keeps it.
    if (outcome === 'away' || outcome === 'busy' || outcome === 'other')
      return this.warn(isHere ? this.texts[outcome] : this.texts.held);
    this.mayPass = this.isLeft = true;
    this.form.requestSubmit(submitter);
    // The form was not valid for the browser.
    if (this.mayPass) this.mayPass = this.isLeft = false;
    else this.windows.postMessage(this.typed());
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      void this.keep().then((outcome) => {
        if (outcome === 'kept' || outcome === 'refused' || this.isLeft) return;
        const isHere = this.here.mine() !== null;
        if (outcome === 'other') return this.warn(this.texts.other);
        if (outcome === 'over' && isHere) return this.warn(this.texts.over, this.texts.signIn);
        this.say(isHere ? this.texts[outcome === 'away' ? 'here' : 'late'] : this.texts.held);
        this.later(AGAIN_MS);
      });
    }, ms);
  }

  private keep(): Promise<Outcome> {
    return this.inTurn(async () => {
      this.store();
      const here = this.here.mine();
      const outcome = await postDraft(this.fields(), this.user, this.hidden('draft'));
      if (outcome !== 'kept') return outcome;
      this.here.forget(here);
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

  private signInUrl(): string {
    return `/sign-in?${new URLSearchParams({ next: this.page, kept: '1' })}`;
  }

  private fields(): URLSearchParams {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === 'string') fields.append(name, value);
    return fields;
  }

  private typed(fields = this.fields()): string {
    const typed = new URLSearchParams();
    for (const [name, value] of fields) if (!this.apart.has(name)) typed.append(name, value.replace(/\r\n?/g, '\n'));
    return typed.toString();
  }

  private hidden(name: string): HTMLInputElement | null {
    return this.form.querySelector(`input[name=${name}]`);
  }

  private store(): void {
    const fields = this.fields();
    fields.delete('_csrf');
    this.here.store(fields.toString());
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
    if (this.keptAt !== null) this.say(keptAgo(this.texts, this.keptAt, this.form.dataset.keptLanguage));
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
