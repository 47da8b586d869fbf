import type { Node } from 'prosemirror-model';
import { type Command, type EditorState, NodeSelection, Selection, TextSelection } from 'prosemirror-state';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';

/** What can be done to the block that is chosen, whatever its kind. */

const { nodes } = draftSchema;

/** A block of the letter or of a column, and where it begins. */
export interface Chosen {
  node: Node;
  pos: number;
}

const holdsBlocks = (node: Node): boolean => node.type === nodes.doc || node.type === nodes.column;

/** The block that is chosen, or that the cursor stands in: in columns the one of the column. */
export function chosenBlock({ selection }: EditorState): Chosen | null {
  if (selection instanceof NodeSelection && holdsBlocks(selection.$from.parent))
    return { node: selection.node, pos: selection.from };
  const { $from } = selection;
  for (let depth = $from.depth; depth > 0; depth--)
    if (holdsBlocks($from.node(depth - 1))) return { node: $from.node(depth), pos: $from.before(depth) };
  // A cursor between blocks belongs to the one before it.
  const [before, after] = [$from.nodeBefore, $from.nodeAfter];
  if (before) return { node: before, pos: $from.pos - before.nodeSize };
  return after ? { node: after, pos: $from.pos } : null;
}

/** Escape: from the text to its block, from a block of a column to the columns. */
export const chooseAround: Command = (state, dispatch) => {
  const { selection } = state;
  const chosen = chosenBlock(state);
  if (!chosen) return false;
  const isChosen = selection instanceof NodeSelection && selection.from === chosen.pos;
  let pos: number | null = chosen.pos;
  if (isChosen) {
    const $pos = state.doc.resolve(pos);
    pos = $pos.depth >= 2 ? $pos.before($pos.depth - 1) : null;
  }
  if (pos === null) return false;
  dispatch?.(state.tr.setSelection(NodeSelection.create(state.doc, pos)).scrollIntoView());
  return true;
};

/** Puts the block before the one above it, or after the one below it, and keeps what is chosen within it. */
export const moveBlock =
  (by: -1 | 1): Command =>
  (state, dispatch) => {
    const chosen = chosenBlock(state);
    if (!chosen) return false;
    const { node, pos } = chosen;
    const $pos = state.doc.resolve(pos);
    const other = $pos.parent.maybeChild($pos.index() + by);
    if (!other) return false;
    if (!dispatch) return true;
    const to = by < 0 ? pos - other.nodeSize : pos + other.nodeSize;
    const { tr, selection } = state;
    const isWhole = selection instanceof NodeSelection && selection.from === pos;
    tr.delete(pos, pos + node.nodeSize).insert(to, node);
    const moved = to - pos;
    tr.setSelection(
      isWhole
        ? NodeSelection.create(tr.doc, to)
        : selection instanceof NodeSelection
          ? NodeSelection.create(tr.doc, selection.from + moved)
          : TextSelection.create(tr.doc, selection.anchor + moved, selection.head + moved),
    );
    dispatch(tr.scrollIntoView());
    return true;
  };

export const copyBlock: Command = (state, dispatch) => {
  const chosen = chosenBlock(state);
  if (!chosen) return false;
  const end = chosen.pos + chosen.node.nodeSize;
  const tr = state.tr.insert(end, chosen.node);
  dispatch?.(select(tr, end).scrollIntoView());
  return true;
};

/** The last one of a letter or a column leaves an empty line. */
export const removeBlock: Command = (state, dispatch) => {
  const chosen = chosenBlock(state);
  if (!chosen) return false;
  const { node, pos } = chosen;
  const $pos = state.doc.resolve(pos);
  const { tr } = state;
  if ($pos.parent.childCount === 1) tr.replaceWith(pos, pos + node.nodeSize, nodes.paragraph!.create());
  else tr.delete(pos, pos + node.nodeSize);
  const near = Math.min(pos, tr.doc.content.size);
  dispatch?.(tr.setSelection(Selection.near(tr.doc.resolve(near), $pos.nodeBefore ? -1 : 1)).scrollIntoView());
  return true;
};

/** A new line below the block that is outermost: the way out of columns, lists and quotes. */
export const lineBelow: Command = (state, dispatch) => {
  const { $from } = state.selection;
  const end =
    state.selection instanceof NodeSelection && $from.depth === 0
      ? state.selection.to
      : $from.depth > 0
        ? $from.after(1)
        : $from.pos;
  const tr = state.tr.insert(end, nodes.paragraph!.create());
  dispatch?.(tr.setSelection(TextSelection.create(tr.doc, end + 1)).scrollIntoView());
  return true;
};

/**
 * Puts a new block after the chosen one: in its column, if it may stand there, else after the columns. An empty line
 * gives its place to it.
 */
export function insertBlock(state: EditorState, block: Node, atEnd = false): ReturnType<typeof select> {
  const { tr, doc } = state;
  const chosen = atEnd ? null : chosenBlock(state);
  let [from, to] = [doc.content.size, doc.content.size];
  if (chosen) {
    from = to = chosen.pos + chosen.node.nodeSize;
    const $pos = doc.resolve(chosen.pos);
    if ($pos.parent.type === nodes.column && !$pos.parent.type.contentMatch.matchType(block.type))
      from = to = $pos.after($pos.depth - 1);
    else if (isEmptyLine(chosen.node)) from = chosen.pos;
  } else if (doc.lastChild && isEmptyLine(doc.lastChild)) from -= doc.lastChild.nodeSize;
  tr.replaceWith(from, to, block);
  return select(tr, from);
}

export const isEmptyLine = (node: Node): boolean => node.type === nodes.paragraph && node.content.size === 0;

/** Into the first text of a block; a block without any is chosen as a whole. */
function select(tr: EditorState['tr'], pos: number) {
  const node = tr.doc.nodeAt(pos);
  if (!node) return tr;
  if (node.isAtom || !node.isBlock || node.type === nodes.divider)
    return tr.setSelection(NodeSelection.create(tr.doc, pos));
  return tr.setSelection(Selection.near(tr.doc.resolve(pos + 1), 1));
}

/** Every block that can be added, new. */
export const newBlocks: Record<string, () => Node> = {
  heading: () => nodes.heading!.create({ level: 2 }),
  paragraph: () => nodes.paragraph!.create(),
  picture: () => nodes.picture!.create({ src: '' }),
  button: () => nodes.button!.create(),
  two: () => columns(2),
  three: () => columns(3),
  bullet_list: () => list('bullet_list'),
  ordered_list: () => list('ordered_list'),
  blockquote: () => nodes.blockquote!.create(null, nodes.paragraph!.create()),
  divider: () => nodes.divider!.create(),
  spacer: () => nodes.spacer!.create(),
  social: () => nodes.social!.create(),
  footer: () => nodes.footer!.create(null, nodes.paragraph!.create()),
};

const columns = (count: number): Node =>
  nodes.columns!.create(
    null,
    Array.from({ length: count }, () => nodes.column!.create(null, nodes.paragraph!.create())),
  );

const list = (kind: 'bullet_list' | 'ordered_list'): Node =>
  nodes[kind]!.create(null, nodes.list_item!.create(null, nodes.paragraph!.create()));
