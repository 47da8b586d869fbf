import { element, icon, type IconName } from './elements';

export interface Choice {
  label: string;
  hint?: string;
  icon?: IconName;
  pick: () => void;
}

/** A button with a list of choices: arrows, Home and End go through it, letters look for it, Escape closes it. */
export class Menu {
  readonly dom: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly list: HTMLElement;

  constructor(
    button: HTMLButtonElement,
    label: string,
    choices: Choice[],
    private readonly closed: () => void,
  ) {
    this.button = button;
    this.list = element('div', { class: 'le-menu', role: 'menu', 'aria-label': label, hidden: true });
    this.dom = element('span', { class: 'le-menu-of' }, button, this.list);
    button.setAttribute('aria-haspopup', 'menu');
    button.setAttribute('aria-expanded', 'false');
    for (const choice of choices) this.list.append(this.item(choice));
    // The text keeps its cursor while something is chosen for it.
    this.dom.addEventListener('mousedown', (event) => event.preventDefault());
    button.addEventListener('click', () => (this.isOpen ? this.close() : this.open()));
    this.dom.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('click', (event) => {
      if (this.isOpen && !this.dom.contains(event.target as Element)) this.hide();
    });
    this.dom.addEventListener('focusout', (event) => {
      if (this.isOpen && event.relatedTarget && !this.dom.contains(event.relatedTarget as Element)) this.hide();
    });
  }

  get isOpen(): boolean {
    return !this.list.hidden;
  }

  open(): void {
    this.list.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    this.items[0]?.focus();
  }

  private item({ label, hint, icon: look, pick }: Choice): HTMLElement {
    const made = element('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: 'le-choice' });
    if (look) made.append(icon(look));
    made.append(element('span', {}, label));
    if (hint) made.append(element('code', {}, hint));
    made.addEventListener('click', () => {
      this.hide();
      pick();
    });
    return made;
  }

  private get items(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>('[role=menuitem]')];
  }

  private hide(): void {
    this.list.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
  }

  private close(): void {
    this.hide();
    this.closed();
  }

  private key(event: KeyboardEvent): void {
    if (!this.isOpen) {
      if (event.key !== 'ArrowDown' || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      return this.open();
    }
    const { items } = this;
    const at = items.indexOf(document.activeElement as HTMLElement);
    const go = (to: number) => items.at(to % items.length)?.focus();
    const found = event.key.length === 1 && !event.ctrlKey && !event.metaKey ? this.startsWith(event.key, at) : -1;
    if (event.key === 'Escape' || event.key === 'Tab') this.close();
    else if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(-1);
    else if (found >= 0) go(found);
    else if (!/^Arrow/.test(event.key)) return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  }

  private startsWith(letter: string, at: number): number {
    const { items } = this;
    for (let i = 1; i <= items.length; i++) {
      const index = (at + i) % items.length;
      if (items[index]?.textContent?.toLowerCase().startsWith(letter.toLowerCase())) return index;
    }
    return -1;
  }
}
