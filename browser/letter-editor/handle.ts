import { NodeSelection } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';
import { element, icon } from './elements';

/** A handle beside the block under the pointer, by which it is dragged. It is for the pointer only: keys have their own way. */
export function dragHandle(view: EditorView, sheet: HTMLElement, title: string): void {
  const handle = element('div', { class: 'le-handle', draggable: 'true', title, 'aria-hidden': 'true', hidden: true });
  handle.append(icon('drag'));
  sheet.append(handle);
  let at: number | null = null;

  sheet.addEventListener('mousemove', (event) => {
    if (handle.contains(event.target as Element)) return;
    const pos = blockAt(view, event.clientX, event.clientY);
    handle.hidden = pos === null;
    if (pos === null || pos === at) return;
    at = pos;
    const dom = view.nodeDOM(pos);
    if (!(dom instanceof HTMLElement)) return;
    const [around, box] = [sheet.getBoundingClientRect(), dom.getBoundingClientRect()];
    handle.style.top = `${box.top - around.top}px`;
    handle.style.left = `${Math.max(0, box.left - around.left - 30)}px`;
  });
  sheet.addEventListener('mouseleave', () => (handle.hidden = true));
  handle.addEventListener('mousedown', () => choose());
  handle.addEventListener('dragstart', (event) => {
    const selection = choose();
    if (!selection || !event.dataTransfer) return event.preventDefault();
    const dom = view.nodeDOM(selection.from);
    event.dataTransfer.effectAllowed = 'copyMove';
    event.dataTransfer.setData('text/html', selection.node.textContent);
    if (dom instanceof HTMLElement) event.dataTransfer.setDragImage(dom, 0, 0);
    view.dragging = { slice: selection.content(), move: true };
  });
  handle.addEventListener('dragend', () => (view.dragging = null));

  function choose(): NodeSelection | null {
    if (at === null || !view.state.doc.nodeAt(at)) return null;
    const selection = NodeSelection.create(view.state.doc, at);
    view.dispatch(view.state.tr.setSelection(selection));
    return selection;
  }
}

/** Where the block begins that is under the pointer, or at the same height. */
function blockAt(view: EditorView, left: number, top: number): number | null {
  const { left: from, right: to } = view.dom.getBoundingClientRect();
  const found = view.posAtCoords({ left: Math.min(Math.max(left, from + 50), to - 50), top });
  if (!found) return null;
  const { doc, column } = draftSchema.nodes;
  const $pos = view.state.doc.resolve(found.inside >= 0 ? found.inside : found.pos);
  for (let depth = $pos.depth; depth >= 0; depth--) {
    const { type } = $pos.node(depth);
    if (type !== doc && type !== column) continue;
    if (depth < $pos.depth) return $pos.before(depth + 1);
    return $pos.nodeAfter ? $pos.pos : null;
  }
  return null;
}
