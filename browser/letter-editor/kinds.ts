import { insertBlock, newBlocks } from './blocks';
import type { Desk } from './desk';
import type { IconName } from './elements';
import { fill, nameOf, type Words } from './words';

/** The kinds of blocks that can be added, in the order of the menu. */
export interface Kind {
  id: string;
  label: string;
  icon: IconName;
}

export const kindsOf = (words: Words): Kind[] =>
  Object.keys(newBlocks).map((id) => ({
    id,
    label: id === 'two' || id === 'three' ? words.columnsOf[id] : (words.blocks[id] ?? id),
    icon: id === 'two' || id === 'three' ? 'columns' : (id as IconName),
  }));

/** Adds a new block after the chosen one, or at the letter's end, and says so. */
export function addBlock(desk: Desk, kind: string, atEnd = false): void {
  const view = desk.letter;
  const block = newBlocks[kind]?.();
  if (!view || !block) return;
  view.dispatch(insertBlock(view.state, block, atEnd).scrollIntoView());
  view.focus();
  // A picture is nothing without its source.
  if (kind === 'picture') desk.toSettings();
  desk.speaker.say(fill(desk.words.live.saidAdded, nameOf(block, desk.words)));
}
