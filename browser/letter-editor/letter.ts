import { Node } from 'prosemirror-model';
import { EditorState, NodeSelection } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';
import { DOCUMENT_VERSION } from '../../src/domain/letter-document/schema';
import { insertBlock } from './blocks';
import { setAttributes } from './commands';
import type { Desk } from './desk';
import { cleanPasted, picturesIn, withChips } from './paste';
import { type Deeds, letterPlugins } from './plugins';
import { uploadPicture } from './upload';
import { nodeViews } from './views';

interface Ways {
  settings(): boolean;
  link(): boolean;
  tools(): boolean;
}

/** The letter itself, over the form's hidden field, which holds its document. */
export function editLetter(
  field: HTMLInputElement,
  sheet: HTMLElement,
  desk: Desk,
  deeds: Deeds,
  to: Ways,
): EditorView {
  const shown = field.value;
  const { doc } = JSON.parse(shown) as { doc: unknown };
  const start = Node.fromJSON(draftSchema, doc);
  const view: EditorView = new EditorView(sheet, {
    state: EditorState.create({ doc: start, plugins: letterPlugins(desk, deeds, to) }),
    attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-labelledby': 'letter-label', class: 'le-letter' },
    nodeViews: nodeViews(desk.words),
    handleDOMEvents: {
      focus: () => {
        desk.active = view;
        desk.changed();
      },
    },
    // What is typed at a chosen block does not take its place.
    handleTextInput(_view, _from, _to, text) {
      const { selection } = view.state;
      if (!(selection instanceof NodeSelection) || !selection.node.isBlock) return false;
      const tr = insertBlock(view.state, draftSchema.nodes.paragraph!.create());
      view.dispatch(tr.insertText(text).scrollIntoView());
      return true;
    },
    transformPastedHTML: cleanPasted,
    transformPasted: (slice) => withChips(slice, desk.words),
    handlePaste: (_view, event) => takePictures(desk, event.clipboardData),
    handleDrop: (_view, event, _slice, moved) => {
      if (moved) return false;
      const pos = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
      return takePictures(desk, event.dataTransfer, pos);
    },
    dispatchTransaction(transaction) {
      view.updateState(view.state.apply(transaction));
      desk.moved(transaction);
      if (transaction.docChanged) {
        const now = view.state.doc;
        // What was typed and taken back is what the form was opened with, to the letter.
        field.value = now.eq(start)
          ? shown
          : JSON.stringify({ version: DOCUMENT_VERSION, doc: now.toJSON() as unknown });
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }
      desk.changed();
    },
  });
  return view;
}

/** Pictures that come as files go into the letter one after the other, each when it is uploaded. */
function takePictures(desk: Desk, data: DataTransfer | null, pos?: number): boolean {
  const [files, view] = [picturesIn(data), desk.letter];
  // Word gives a picture of the text beside the text.
  if (files.length === 0 || !view || data?.types.includes('text/rtf')) return false;
  desk.complain('');
  for (const file of files) {
    const { tr } = view.state;
    const picture = draftSchema.nodes.picture!.create({ src: '' });
    if (pos === undefined) view.dispatch(insertBlock(view.state, picture));
    else
      view.dispatch(
        tr.insert(view.state.doc.resolve(pos).depth > 0 ? view.state.doc.resolve(pos).after(1) : pos, picture),
      );
    const found = whereIs(view, picture);
    if (found === null) continue;
    const place = desk.hold(found);
    void uploadPicture(desk, file).then((src) => {
      desk.release(place);
      const node = view.state.doc.nodeAt(place.pos);
      if (!node || node.type !== draftSchema.nodes.picture || node.attrs.src !== '') return;
      if (src) setAttributes(place.pos, { src })(view.state, view.dispatch);
      else view.dispatch(view.state.tr.delete(place.pos, place.pos + 1));
    });
  }
  return true;
}

function whereIs(view: EditorView, node: Node): number | null {
  let found: number | null = null;
  view.state.doc.descendants((one, pos) => {
    if (one === node) found = pos;
    return found === null;
  });
  return found;
}
