import { NodeSelection } from 'prosemirror-state';
import { chosenBlock } from './blocks';
import { linkRange } from './commands';
import type { Desk } from './desk';
import { element, icon, type IconName } from './elements';
import { type Field, fieldsFor } from './fields';
import type { Deeds } from './plugins';
import { nameOf } from './words';

/** What the chosen block is, what can be done to it, and what can be set of it. */
export class Panel {
  readonly dom: HTMLElement;
  private readonly title = element('p', { class: 'le-panel-title' });
  private readonly fields = element('div', { class: 'le-fields' });
  private readonly deeds: HTMLElement;
  private shown: Field[] = [];
  private key = '';

  constructor(
    private readonly desk: Desk,
    deeds: Deeds,
  ) {
    const { live } = desk.words;
    const buttons: [IconName, string, keyof Deeds][] = [
      ['up', live.up, 'up'],
      ['down', live.down, 'down'],
      ['copy', live.copy, 'copy'],
      ['remove', live.remove, 'remove'],
    ];
    this.deeds = element('div', { class: 'le-deeds', role: 'group', 'aria-label': live.chosen });
    for (const [look, label, name] of buttons) {
      const button = element('button', { type: 'button', class: 'btn btn-quiet', 'aria-label': label, title: label });
      button.append(icon(look));
      button.dataset.deed = name;
      button.addEventListener('mousedown', (event) => event.preventDefault());
      button.addEventListener('click', () => {
        if (!desk.letter) return;
        desk.active = desk.letter;
        const hadFocus = this.dom.contains(document.activeElement);
        desk.run(deeds[name], !hadFocus);
      });
      this.deeds.append(button);
    }
    this.dom = element('section', { class: 'le-panel', 'aria-label': live.chosen });
    this.dom.append(element('div', { class: 'le-panel-head' }, this.title, this.deeds), this.fields);
    this.dom.addEventListener('keydown', (event) => {
      const isField = (event.target as Element).matches('input, select');
      if (event.key !== 'Escape' && !(event.key === 'Enter' && isField)) return;
      // Enter would send the form.
      event.preventDefault();
      event.stopPropagation();
      desk.active?.focus();
    });
    desk.watch(() => this.update());
  }

  /** @returns false if nothing can be set */
  focus(id?: string): boolean {
    this.update();
    const field = this.shown.find((one) => (id ? one.id === id : true));
    field?.focus();
    return field !== undefined;
  }

  private update(): void {
    const { active, letter, words } = this.desk;
    if (!active) return this.rest();
    const { selection } = active.state;
    const chosen = active === letter ? chosenBlock(active.state) : null;
    const variable =
      selection instanceof NodeSelection && selection.node.type.name === 'variable' ? selection.node : null;
    const node = variable ?? chosen?.node;
    if (!node) return this.rest();
    this.title.textContent = nameOf(node, words);
    this.deeds.hidden = chosen === null || variable !== null;
    const hasLink = !variable && chosen !== null && linkRange(active.state) !== null;
    const rows = node.type.name === 'social' ? (node.attrs.links as unknown[]).length : 0;
    const key = [active === letter, node.type.name, hasLink, rows].join();
    if (key !== this.key) {
      this.key = key;
      this.shown = fieldsFor(this.desk, node, hasLink);
      this.fields.replaceChildren(...this.shown.map(({ dom }) => dom));
    }
    for (const field of this.shown) field.show();
  }

  private rest(): void {
    this.title.textContent = this.desk.words.live.nothingChosen;
    this.deeds.hidden = true;
    this.key = '';
    this.shown = [];
    this.fields.replaceChildren();
  }
}
