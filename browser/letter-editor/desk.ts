import { type Command, type EditorState, NodeSelection, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { chosenBlock } from './blocks';
import { fill, nameOf, type Speaker, type Words } from './words';

/** A place in a document that stays with what it belongs to while the document changes. */
export interface Place {
  pos: number;
}

/**
 * What the parts of the editor share: the letter and the two lines above it (subject, preview line), of which one is
 * written in, the words, and who is told when something changes.
 */
export class Desk {
  /** The one that tools work on: that of the letter, or a line. */
  active: EditorView | null = null;
  letter: EditorView | null = null;
  /** To what can be set of the chosen block. */
  toSettings: () => void = () => undefined;
  private readonly places = new Set<Place>();
  private readonly watchers: (() => void)[] = [];

  constructor(
    readonly words: Words,
    readonly speaker: Speaker,
    readonly form: HTMLFormElement,
    private readonly problem: HTMLElement,
  ) {}

  watch(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** A place in the letter. */
  hold(pos: number): Place {
    const place = { pos };
    this.places.add(place);
    return place;
  }

  release(place: Place): void {
    this.places.delete(place);
  }

  moved(transaction: Transaction): void {
    for (const place of this.places) place.pos = transaction.mapping.map(place.pos, 1);
  }

  /** Does something to what is written in, and gives it the focus if `focuses`. @returns whether it could be done */
  run(command: Command, focuses = true): boolean {
    const view = this.active;
    if (!view) return false;
    const done = command(view.state, view.dispatch, view);
    if (focuses) view.focus();
    return done;
  }

  can(command: Command): boolean {
    return this.active !== null && command(this.active.state);
  }

  /** Says what went wrong, where it is seen, too. */
  complain(text: string): void {
    this.problem.textContent = text;
    this.problem.hidden = text === '';
    if (text !== '') this.speaker.say(text);
  }

  /** Chooses one of the letter's own blocks, by its number from 0. */
  choose(index: number): void {
    const view = this.letter;
    if (!view || index >= view.state.doc.childCount) return;
    let pos = 0;
    for (let i = 0; i < index; i++) pos += view.state.doc.child(i).nodeSize;
    view.dispatch(view.state.tr.setSelection(NodeSelection.create(view.state.doc, pos)).scrollIntoView());
    view.focus();
  }

  /** Says it of the block that is chosen now. */
  sayOf(text: string, state: EditorState | undefined = this.letter?.state): void {
    const chosen = state && chosenBlock(state);
    if (chosen) this.speaker.say(fill(text, nameOf(chosen.node, this.words)));
  }
}
