import { setBlockType, toggleMark, wrapIn } from 'prosemirror-commands';
import type { Node, NodeType } from 'prosemirror-model';
import { liftListItem, sinkListItem, wrapInList } from 'prosemirror-schema-list';
import { type Command, type EditorState, NodeSelection, TextSelection } from 'prosemirror-state';
import { LIST_DEPTH } from '../../src/domain/letter-document/limits';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';

/** What tools do to the text. */

const { nodes, marks } = draftSchema;

export const toggleStrong = toggleMark(marks.strong!);
export const toggleEm = toggleMark(marks.em!);

export function hasMark({ selection, storedMarks, doc }: EditorState, name: 'strong' | 'em' | 'link'): boolean {
  const type = marks[name]!;
  const { from, to, empty, $from } = selection;
  if (empty) return type.isInSet(storedMarks ?? $from.marks()) !== undefined;
  return doc.rangeHasMark(from, to, type);
}

const listAround = ({ selection: { $from } }: EditorState): NodeType | null => {
  for (let depth = $from.depth; depth > 0; depth--) {
    const { type } = $from.node(depth);
    if (type === nodes.bullet_list || type === nodes.ordered_list) return type;
  }
  return null;
};

export const isInList = (state: EditorState, kind: string): boolean => listAround(state)?.name === kind;

/** Makes a list of the text, text of a list, or the other kind of list. */
export const toggleList =
  (kind: 'bullet_list' | 'ordered_list'): Command =>
  (state, dispatch, view) => {
    const around = listAround(state);
    if (around === null) return wrapInList(nodes[kind]!)(state, dispatch);
    if (around.name === kind) return liftListItem(nodes.list_item!)(state, dispatch, view);
    const { $from } = state.selection;
    for (let depth = $from.depth; depth > 0; depth--) {
      if ($from.node(depth).type !== around) continue;
      dispatch?.(state.tr.setNodeMarkup($from.before(depth), nodes[kind]));
      return true;
    }
    return false;
  };

export const deeper: Command = (state, dispatch) => {
  const { $from } = state.selection;
  let lists = 0;
  for (let depth = $from.depth; depth > 0; depth--) if ($from.node(depth).type === nodes.list_item) lists++;
  return lists > 0 && lists < LIST_DEPTH && sinkListItem(nodes.list_item!)(state, dispatch);
};
export const shallower: Command = liftListItem(nodes.list_item!);

export const quote: Command = wrapIn(nodes.blockquote!);

/** @param level 0 for plain text */
export const setLevel = (level: number, align: unknown): Command =>
  level === 0 ? setBlockType(nodes.paragraph!, { align }) : setBlockType(nodes.heading!, { level, align });

/** Changes attributes of the node at a place. */
export const setAttributes =
  (pos: number, attributes: Record<string, unknown>): Command =>
  (state, dispatch) => {
    const node = state.doc.nodeAt(pos);
    if (!node) return false;
    const { tr, selection } = state;
    tr.setNodeMarkup(pos, null, { ...node.attrs, ...attributes });
    if (selection instanceof NodeSelection && selection.from === pos)
      tr.setSelection(NodeSelection.create(tr.doc, pos));
    dispatch?.(tr);
    return true;
  };

/** The first link in a range. */
function linkIn({ doc }: EditorState, from: number, to: number): string {
  let href = '';
  doc.nodesBetween(from, to, (node) => {
    const mark = marks.link!.isInSet(node.marks);
    if (mark && href === '') href = String(mark.attrs.href);
  });
  return href;
}

/** Where the link reaches that the cursor stands in, or the selected text. */
export function linkRange(state: EditorState): { from: number; to: number; href: string } | null {
  const { $from, from, to, empty } = state.selection;
  if (state.selection instanceof NodeSelection) return null;
  const type = marks.link!;
  const inside = $from.parent.childAfter($from.parentOffset);
  const near = inside.node && type.isInSet(inside.node.marks) ? inside : $from.parent.childBefore($from.parentOffset);
  const mark = near.node && type.isInSet(near.node.marks);
  if (!mark) {
    let isTaken = false;
    if (!empty)
      state.doc.nodesBetween(
        from,
        to,
        (node) => void (isTaken ||= node.inlineContent && node.type.allowsMarkType(type)),
      );
    return isTaken ? { from, to, href: linkIn(state, from, to) } : null;
  }
  let [start, end] = [near.offset, near.offset + near.node!.nodeSize];
  $from.parent.forEach((child: Node, offset: number) => {
    if (!mark.isInSet(child.marks)) return;
    if (offset + child.nodeSize === start) start = offset;
    if (offset === end) end = offset + child.nodeSize;
  });
  const base = $from.start();
  return { from: base + start, to: base + end, href: String(mark.attrs.href) };
}

/** Sets the link of a range; an empty one takes it away. */
export const setLink =
  ({ from, to }: { from: number; to: number }, href: string): Command =>
  (state, dispatch) => {
    const tr = state.tr.removeMark(from, to, marks.link);
    if (href !== '') tr.addMark(from, to, marks.link!.create({ href }));
    dispatch?.(tr);
    return true;
  };

/** At the cursor, also of a line above the letter, whose schema knows variables, too. */
export const insertVariable =
  (name: string): Command =>
  (state, dispatch) => {
    const type = state.schema.nodes.variable!;
    const { $from } = state.selection;
    if (!$from.parent.inlineContent && !(state.selection instanceof TextSelection)) return false;
    const tr = state.tr.replaceSelectionWith(type.create({ name }), true);
    dispatch?.(tr.scrollIntoView());
    return true;
  };
