import { type EditorState, Plugin, PluginKey } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';
import type { Desk } from './desk';
import { element, icon } from './elements';
import { addBlock, type Kind, kindsOf } from './kinds';

/** "/" at the beginning of an empty line opens the kinds of blocks; what is typed after it looks for one. */

const key = new PluginKey<{ closedAt: number | null }>('slash');

/** What is looked for, and where the line with it begins. */
function asked(state: EditorState): { words: string; start: number } | null {
  const { $from, empty } = state.selection;
  if (!empty || $from.parent.type !== draftSchema.nodes.paragraph || $from.parentOffset !== $from.parent.content.size)
    return null;
  const [, words] = /^\/(\S{0,20})$/.exec($from.parent.textContent) ?? [];
  const start = $from.before();
  return words === undefined || key.getState(state)?.closedAt === start ? null : { words, start };
}

class SlashList {
  private readonly dom: HTMLElement;
  private readonly kinds: Kind[];
  private found: Kind[] = [];
  private at = 0;
  private words = '';

  constructor(
    private readonly desk: Desk,
    private readonly view: EditorView,
  ) {
    this.kinds = kindsOf(desk.words);
    this.dom = element('div', { class: 'le-menu', id: 'le-slash', role: 'listbox', hidden: true });
    this.dom.setAttribute('aria-label', desk.words.live.addLabel);
    this.dom.addEventListener('mousedown', (event) => event.preventDefault());
    this.dom.addEventListener('click', (event) => {
      const at = [...this.dom.children].indexOf((event.target as Element).closest('[role=option]')!);
      if (at >= 0) this.pick(at);
    });
    view.dom.parentElement?.append(this.dom);
  }

  update(): void {
    const now = asked(this.view.state);
    if (!now) return this.hide();
    if (!this.dom.hidden && now.words === this.words) return;
    this.words = now.words;
    this.at = 0;
    const wanted = now.words.toLowerCase();
    this.found = this.kinds.filter(({ label }) =>
      label
        .toLowerCase()
        .split(' ')
        .some((word) => word.startsWith(wanted)),
    );
    this.draw();
    const { left, bottom } = this.view.coordsAtPos(this.view.state.selection.from);
    const around = this.dom.offsetParent?.getBoundingClientRect();
    this.dom.hidden = false;
    const room = (around?.width ?? 0) - this.dom.offsetWidth;
    this.dom.style.left = `${Math.max(0, Math.min(left - (around?.left ?? 0), room))}px`;
    this.dom.style.top = `${bottom - (around?.top ?? 0) + 4}px`;
  }

  /** @returns whether the key was for the list */
  key(event: KeyboardEvent): boolean {
    if (this.dom.hidden || event.altKey || event.ctrlKey || event.metaKey) return false;
    if (event.key === 'Escape') {
      const closedAt = asked(this.view.state)?.start ?? null;
      this.view.dispatch(this.view.state.tr.setMeta(key, { closedAt }));
      return true;
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && this.found.length > 0) {
      this.at = (this.at + by + this.found.length) % this.found.length;
      this.draw();
      return true;
    }
    if (event.key !== 'Enter' || this.found.length === 0) return false;
    this.pick(this.at);
    return true;
  }

  private pick(at: number): void {
    const kind = this.found[at];
    const now = asked(this.view.state);
    if (!kind || !now) return;
    const { tr, selection } = this.view.state;
    this.view.dispatch(tr.delete(selection.$from.start(), selection.from));
    addBlock(this.desk, kind.id);
  }

  private draw(): void {
    this.dom.replaceChildren(
      ...(this.found.length === 0
        ? [element('p', { class: 'hint' }, this.desk.words.live.nothingFound)]
        : this.found.map(({ label, icon: look }, i) =>
            element(
              'div',
              { role: 'option', id: `le-slash-${i}`, class: 'le-choice', 'aria-selected': String(i === this.at) },
              icon(look),
              element('span', {}, label),
            ),
          )),
    );
    this.dom.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
    this.view.dom.setAttribute('aria-controls', this.dom.id);
    this.view.dom.setAttribute('aria-activedescendant', this.found.length > 0 ? `le-slash-${this.at}` : '');
    this.desk.speaker.say(this.found[this.at]?.label ?? this.desk.words.live.nothingFound);
  }

  private hide(): void {
    if (this.dom.hidden) return;
    this.dom.hidden = true;
    for (const name of ['aria-controls', 'aria-activedescendant']) this.view.dom.removeAttribute(name);
  }

  destroy(): void {
    this.dom.remove();
  }
}

export function slash(desk: Desk): Plugin {
  let list: SlashList | null = null;
  return new Plugin({
    key,
    state: {
      init: () => ({ closedAt: null as number | null }),
      apply(transaction, { closedAt }) {
        const told = transaction.getMeta(key) as { closedAt: number | null } | undefined;
        return told ?? { closedAt: closedAt === null ? null : transaction.mapping.map(closedAt) };
      },
    },
    props: { handleKeyDown: (_view, event) => list?.key(event) ?? false },
    view: (view) => (list = new SlashList(desk, view)),
  });
}
