import { history, redo, undo } from 'prosemirror-history';
import { inputRules } from 'prosemirror-inputrules';
import { keymap } from 'prosemirror-keymap';
import { baseKeymap } from 'prosemirror-commands';
import { Fragment, type Node, Schema } from 'prosemirror-model';
import { EditorState } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import { chipsIn } from '../../src/domain/letter-document/chips';
import { variable, variableSource } from '../../src/domain/letter-document/schema-things';
import type { Desk } from './desk';
import { element } from './elements';
import { chipRule } from './plugins';
import { chipView } from './views';
import { isVariable } from './words';

/** The subject and the preview line: text in one line with chips, over the form's input, which stays the source. */

const schema = new Schema({
  nodes: {
    doc: { content: 'line' },
    line: { content: '(text | variable)*', toDOM: () => ['p', { dir: 'auto' }, 0] },
    text: { group: 'inline' },
    variable,
  },
});

/** Variables with no more than a fallback become chips; what else templates can do stays text. */
const read = (source: string, known: (name: string) => boolean): Node[] =>
  chipsIn(source.replace(/[\r\n]+/g, ' '), known).map((part) =>
    typeof part === 'string' ? schema.text(part) : schema.nodes.variable.create(part),
  );

const write = (doc: Node): string =>
  doc.textBetween(0, doc.content.size, '', (leaf) =>
    variableSource(String(leaf.attrs.name), String(leaf.attrs.fallback)),
  );

/** To the next line, or to the letter. */
function next(host: HTMLElement): boolean {
  const all = [...document.querySelectorAll<HTMLElement>('.le-line .ProseMirror, .le-letter')];
  all[all.findIndex((one) => host.contains(one)) + 1]?.focus();
  return true;
}

export function editLine(input: HTMLInputElement, desk: Desk, toSettings: () => boolean, toTools: () => boolean): void {
  const { words } = desk;
  const known = (name: string) => isVariable(name, words);
  const label = input.labels?.[0];
  if (label && !label.id) label.id = `${input.id}-label`;
  const shown = input.value;
  const start = schema.nodes.doc.create(null, schema.nodes.line.create(null, read(shown, known)));
  const wrong = input.getAttribute('aria-invalid') === 'true';
  const host = element('div', { class: `le-line form-control ${wrong ? 'is-invalid' : ''}` });
  input.before(host);
  const view: EditorView = new EditorView(host, {
    state: EditorState.create({
      doc: start,
      plugins: [
        inputRules({ rules: [chipRule(words)] }),
        keymap({
          'Mod-z': undo,
          'Mod-y': redo,
          'Shift-Mod-z': redo,
          'Alt-F10': toTools,
          // A line has one line: Enter goes on; at a chip, to what can be set of it.
          Enter: () => toSettings() || next(host),
        }),
        keymap(baseKeymap),
        history(),
      ],
    }),
    attributes: {
      role: 'textbox',
      'aria-multiline': 'false',
      'aria-labelledby': label?.id ?? '',
      ...(input.required && { 'aria-required': 'true' }),
      ...(wrong && { 'aria-invalid': 'true' }),
      ...(input.getAttribute('aria-describedby') && { 'aria-describedby': input.getAttribute('aria-describedby')! }),
    },
    nodeViews: { variable: chipView(words) },
    handleDOMEvents: {
      focus: () => {
        desk.active = view;
        desk.changed();
      },
    },
    handlePaste(into, event) {
      const text = event.clipboardData?.getData('text/plain');
      if (text === undefined) return false;
      const { state } = into;
      into.dispatch(state.tr.replaceWith(state.selection.from, state.selection.to, Fragment.from(read(text, known))));
      return true;
    },
    handleDrop: () => true,
    dispatchTransaction(transaction) {
      view.updateState(view.state.apply(transaction));
      if (transaction.docChanged) {
        // What was typed and taken back is what the form was opened with, to the letter.
        input.value = view.state.doc.eq(start) ? shown : write(view.state.doc);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }
      desk.changed();
    },
  });
  input.hidden = true;
  if (input.autofocus) view.focus();
  label?.addEventListener('click', (event) => {
    event.preventDefault();
    view.focus();
  });
}
