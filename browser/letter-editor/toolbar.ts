import { redo, undo } from 'prosemirror-history';
import type { Command, EditorState } from 'prosemirror-state';
import { hasMark, insertVariable, isInList, quote, toggleEm, toggleList, toggleStrong } from './commands';
import type { Desk } from './desk';
import { element, icon, type IconName } from './elements';
import { addBlock, kindsOf } from './kinds';
import { Menu } from './menu';
import { toldHistory } from './plugins';

interface Tool {
  look: IconName | 'B' | 'I';
  label: string;
  command: Command;
  isOn?: (state: EditorState) => boolean;
  /** For the lines above the letter, too. */
  anywhere?: boolean;
}

const KEYS = {
  slash: '/',
  tools: 'Alt+F10',
  move: 'Alt+↑ Alt+↓',
  around: 'Escape',
  settings: 'Enter',
  copy: 'Ctrl+D',
  remove: 'Delete',
  below: 'Ctrl+Enter',
  marks: 'Ctrl+B Ctrl+I Ctrl+K',
  depth: 'Ctrl+] Ctrl+[',
  undo: 'Ctrl+Z Ctrl+Y',
  tab: 'Tab',
  preview: 'Alt+P',
};

/** The tools above the letter: one stop for Tab, arrows within, Escape back to the text. */
export class Toolbar {
  readonly dom: HTMLElement;
  private readonly updates: (() => void)[] = [];

  constructor(
    private readonly desk: Desk,
    private readonly toLink: () => boolean,
  ) {
    const { live } = desk.words;
    this.dom = element('div', { class: 'le-toolbar', role: 'toolbar', 'aria-label': live.toolbar });
    const back = () => (desk.active ?? desk.letter)?.focus();
    const add = new Menu(
      this.button('plus', live.add, live.add),
      live.addLabel,
      kindsOf(desk.words).map(({ id, label, icon: look }) => ({ label, icon: look, pick: () => addBlock(desk, id) })),
      back,
    );
    const variable = new Menu(
      this.button('variable', live.variable, live.variable),
      live.variableLabel,
      desk.words.variables.map(({ name, about }) => ({ label: about, pick: () => this.insert(name) })),
      back,
    );
    this.dom.append(add.dom, variable.dom, ...this.tools().map((tool) => this.tool(tool)), this.keys());
    this.dom.addEventListener('keydown', (event) => this.key(event, back));
    this.dom.addEventListener('focusin', ({ target }) => this.rove(target as HTMLElement));
    this.rove(this.stops[0]);
    desk.watch(() => this.updates.forEach((update) => update()));
  }

  focus(): boolean {
    this.stops.find(({ tabIndex }) => tabIndex === 0)?.focus();
    return true;
  }

  private insert(name: string): void {
    const { desk } = this;
    desk.active ??= desk.letter;
    if (desk.run(insertVariable(name))) return;
    // Where no text is chosen, it gets a line of its own.
    addBlock(desk, 'paragraph');
    desk.run(insertVariable(name));
  }

  private tools(): Tool[] {
    const { live, blocks } = this.desk.words;
    return [
      { look: 'B', label: live.bold, command: toggleStrong, isOn: (state) => hasMark(state, 'strong') },
      { look: 'I', label: live.italic, command: toggleEm, isOn: (state) => hasMark(state, 'em') },
      { look: 'link', label: live.link, command: () => this.toLink(), isOn: (state) => hasMark(state, 'link') },
      ...(['bullet_list', 'ordered_list'] as const).map((kind) => ({
        look: kind,
        label: blocks[kind] ?? kind,
        command: toggleList(kind),
        isOn: (state: EditorState) => isInList(state, kind),
      })),
      { look: 'blockquote', label: blocks.blockquote ?? '', command: quote },
      { look: 'undo', label: live.undo, command: toldHistory(this.desk, undo, live.saidUndone), anywhere: true },
      { look: 'redo', label: live.redo, command: toldHistory(this.desk, redo, live.saidRedone), anywhere: true },
    ];
  }

  private tool({ look, label, command, isOn, anywhere }: Tool): HTMLElement {
    const { desk } = this;
    const button = this.button(look, label);
    button.addEventListener('mousedown', (event) => event.preventDefault());
    button.addEventListener('click', () => {
      if (button.getAttribute('aria-disabled') === 'true') return;
      const byKey = this.dom.contains(document.activeElement);
      desk.run(command, false);
      if (!byKey && look !== 'link') desk.active?.focus();
    });
    this.updates.push(() => {
      const isHere = desk.active !== null && (anywhere === true || desk.active === desk.letter);
      button.setAttribute('aria-disabled', String(!isHere || (look !== 'link' && !desk.can(command))));
      if (isOn) button.setAttribute('aria-pressed', String(isHere && isOn(desk.active!.state)));
    });
    return button;
  }

  private button(look: Tool['look'], label: string, text?: string): HTMLButtonElement {
    const button = element('button', { type: 'button', class: 'btn btn-quiet', tabindex: '-1', title: label });
    button.append(look === 'B' || look === 'I' ? element(look === 'B' ? 'strong' : 'em', {}, look) : icon(look));
    if (text) button.append(element('span', {}, text));
    else button.setAttribute('aria-label', label);
    return button;
  }

  private keys(): HTMLElement {
    const { live } = this.desk.words;
    const list = element('dl', { class: 'le-keys' });
    for (const [name, keys] of Object.entries(KEYS))
      list.append(
        element('dt', {}, element('kbd', {}, keys)),
        element('dd', {}, live.keyHelp[name as keyof typeof KEYS]),
      );
    const close = element('button', { type: 'button', class: 'btn btn-secondary' }, live.close);
    const dialog = element(
      'dialog',
      { class: 'confirm', 'aria-label': live.keys },
      element('h2', {}, live.keys),
      list,
      close,
    );
    close.addEventListener('click', () => dialog.close());
    const button = this.button('keys', live.keys);
    button.classList.add('le-keys-button');
    button.addEventListener('click', () => dialog.showModal());
    // A dialog in a toolbar would get its arrows.
    this.desk.form.append(dialog);
    return button;
  }

  private get stops(): HTMLElement[] {
    return [...this.dom.querySelectorAll<HTMLElement>('button')].filter((one) => !one.matches('[role=menuitem]'));
  }

  private rove(to: HTMLElement | undefined): void {
    if (!to || !this.stops.includes(to)) return;
    for (const stop of this.stops) stop.tabIndex = stop === to ? 0 : -1;
  }

  private key(event: KeyboardEvent, back: () => void): void {
    const stops = this.stops.filter((stop) => stop.checkVisibility());
    const at = stops.indexOf(event.target as HTMLElement);
    if (event.key === 'Escape') back();
    else if (at < 0) return;
    else if (event.key === 'ArrowRight') stops[(at + 1) % stops.length]?.focus();
    else if (event.key === 'ArrowLeft') stops.at(at - 1)?.focus();
    else if (event.key === 'Home') stops[0]?.focus();
    else if (event.key === 'End') stops.at(-1)?.focus();
    else return;
    event.preventDefault();
  }
}
