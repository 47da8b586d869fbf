import { baseKeymap, chainCommands, exitCode } from 'prosemirror-commands';
import { dropCursor } from 'prosemirror-dropcursor';
import { gapCursor } from 'prosemirror-gapcursor';
import { history, redo, undo } from 'prosemirror-history';
import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from 'prosemirror-inputrules';
import { keymap } from 'prosemirror-keymap';
import { splitListItem } from 'prosemirror-schema-list';
import { type Command, type EditorState, NodeSelection, Plugin } from 'prosemirror-state';
import { Decoration, DecorationSet } from 'prosemirror-view';
import { FALLBACK_MAX } from '../../src/domain/letter-document/limits';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';
import {
  chooseAround,
  chosenBlock,
  copyBlock,
  insertBlock,
  lineBelow,
  moveBlock,
  newBlocks,
  removeBlock,
} from './blocks';
import { deeper, shallower, toggleEm, toggleStrong } from './commands';
import type { Desk } from './desk';
import { slash } from './slash';
import { isVariable, type Words } from './words';

const { nodes } = draftSchema;

/** A command, and what is said of the block when it was done, or when it could not be. */
const told =
  (desk: Desk, command: Command, done: string, not = ''): Command =>
  (state, dispatch, view) => {
    if (!dispatch) return command(state);
    // What is deleted can only be named before.
    const isGone = command === removeBlock;
    if (isGone && command(state)) desk.sayOf(done, state);
    const isDone = command(state, dispatch, view);
    if (!isGone && (isDone ? done : not)) desk.sayOf(isDone ? done : not);
    return isDone || not !== '';
  };

/** What can be done to a block, as keys, the panel and menus do it. */
export const deedsOf = (desk: Desk) => {
  const { live } = desk.words;
  return {
    up: told(desk, moveBlock(-1), live.saidUp, live.saidFirst),
    down: told(desk, moveBlock(1), live.saidDown, live.saidLast),
    copy: told(desk, copyBlock, live.saidCopied),
    remove: told(desk, removeBlock, live.saidRemoved),
    around: told(desk, chooseAround, live.saidChosen),
  };
};

export type Deeds = ReturnType<typeof deedsOf>;

export const toldHistory =
  (desk: Desk, command: Command, text: string): Command =>
  (state, dispatch, view) => {
    const isDone = command(state, dispatch, view);
    if (isDone && dispatch) desk.speaker.say(text);
    return isDone;
  };

const isWhole = ({ selection }: EditorState): boolean => selection instanceof NodeSelection && selection.node.isBlock;

/** @param settings goes to the panel's fields; false if there are none. @param link to the field of a link */
export function letterPlugins(
  desk: Desk,
  deeds: Deeds,
  to: { settings(): boolean; link(): boolean; tools(): boolean },
) {
  const { live } = desk.words;
  const onBlock =
    (command: Command): Command =>
    (state, dispatch, view) =>
      isWhole(state) && command(state, dispatch, view);
  const newLine: Command = (state, dispatch) => {
    dispatch?.(insertBlock(state, newBlocks.paragraph!()).scrollIntoView());
    return true;
  };
  const enter: Command = (state, dispatch, view) => {
    if (state.selection instanceof NodeSelection && to.settings()) return true;
    return onBlock(newLine)(state, dispatch, view);
  };
  // A button is nothing without its link, so that is asked for before the next line.
  const inButton: Command = (state, dispatch, view) => {
    const { parent } = state.selection.$from;
    if (parent.type !== nodes.button) return false;
    return (parent.attrs.href === '' && to.link()) || newLine(state, dispatch, view);
  };
  const hardBreak: Command = (state, dispatch) => {
    if (!state.selection.$from.parent.type.contentMatch.matchType(nodes.hard_break!)) return false;
    dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break!.create()).scrollIntoView());
    return true;
  };
  return [
    slash(desk),
    rules(desk.words),
    keymap({
      'Mod-z': toldHistory(desk, undo, live.saidUndone),
      'Mod-y': toldHistory(desk, redo, live.saidRedone),
      'Shift-Mod-z': toldHistory(desk, redo, live.saidRedone),
      'Mod-b': toggleStrong,
      'Mod-i': toggleEm,
      'Mod-k': () => to.link(),
      'Alt-F10': () => to.tools(),
      'Alt-ArrowUp': deeds.up,
      'Alt-ArrowDown': deeds.down,
      'Mod-d': deeds.copy,
      'Mod-]': deeper,
      'Mod-[': shallower,
      'Mod-Enter': chainCommands(exitCode, lineBelow),
      'Shift-Enter': hardBreak,
      Escape: deeds.around,
      Backspace: onBlock(deeds.remove),
      Delete: onBlock(deeds.remove),
      Enter: chainCommands(enter, inButton, splitListItem(nodes.list_item!)),
    }),
    keymap(baseKeymap),
    history(),
    dropCursor({ class: 'le-drop', width: 3, color: false }),
    gapCursor(),
    hints(desk.words),
  ];
}

/** Written Liquid becomes a chip; `# `, `- ` and `1. ` what people mean by them. */
function rules(words: Words): Plugin {
  return inputRules({
    rules: [
      chipRule(words),
      textblockTypeInputRule(/^(#{1,3})\s$/, nodes.heading!, (match) => ({ level: match[1]!.length })),
      wrappingInputRule(/^\s*[-*]\s$/, nodes.bullet_list!),
      wrappingInputRule(/^1[.)]\s$/, nodes.ordered_list!),
      wrappingInputRule(/^>\s$/, nodes.blockquote!),
    ],
  });
}

export const chipRule = (words: Words): InputRule =>
  new InputRule(/\{\{\s*([\w.]+)\s*(?:\|\s*default:\s*["“]([^"”{}]*)["”]\s*)?\}\}$/, (state, match, start, end) => {
    const [, name, fallback = ''] = match;
    if (!isVariable(name!, words) || fallback.length > FALLBACK_MAX) return null;
    return state.tr.replaceWith(start, end, state.schema.nodes.variable!.create({ name, fallback }));
  });

/** Which block is chosen, and what empty ones wait for. */
function hints({ live }: Words): Plugin {
  const hintOf: Record<string, string> = { heading: live.emptyHeading, button: live.emptyButton };
  return new Plugin({
    props: {
      decorations(state) {
        const found: Decoration[] = [];
        state.doc.descendants((node, pos) => {
          if (!node.isTextblock) return node.isBlock;
          const hint = hintOf[node.type.name];
          if (hint && node.content.size === 0)
            found.push(Decoration.node(pos, pos + node.nodeSize, { 'data-hint': hint }));
          return false;
        });
        const chosen = chosenBlock(state);
        if (!chosen) return DecorationSet.create(state.doc, found);
        const { node, pos } = chosen;
        const isEmpty = node.type === nodes.paragraph && node.content.size === 0;
        const look = { class: 'le-chosen', ...(isEmpty && { 'data-hint': live.empty }) };
        found.push(Decoration.node(pos, pos + node.nodeSize, look));
        return DecorationSet.create(state.doc, found);
      },
    },
  });
}
