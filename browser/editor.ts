/**
 * The HTML editor: CodeMirror over the form's textarea, which stays the source of truth, so the form works without it.
 * It lives in a shadow root: there its styles are adopted sheets, which the page's policy allows.
 */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  Decoration,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

const colours = HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: 'light-dark(#0b5f59, #5fd3c6)' },
  { tag: tags.attributeName, color: 'light-dark(#8a4b08, #f0b775)' },
  { tag: [tags.attributeValue, tags.string], color: 'light-dark(#1d4ed8, #93b8ff)' },
  { tag: tags.comment, color: 'light-dark(#666d75, #99a2ab)', fontStyle: 'italic' },
  { tag: [tags.propertyName, tags.keyword], color: 'light-dark(#6d28d9, #c9b2ff)' },
]);

const theme = EditorView.theme({
  '&': { fontSize: '0.875rem', height: '26rem', backgroundColor: 'var(--surface)', color: 'var(--bs-body-color)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--bs-font-monospace)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '.cm-content': { caretColor: 'var(--bs-body-color)' },
  '.cm-cursor': { borderLeftColor: 'var(--bs-body-color)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    backgroundColor: 'light-dark(#cfe8e4, #24504b) !important',
  },
  '.cm-variable': { backgroundColor: 'light-dark(#fdf0d5, #4a3a17)', borderRadius: '3px' },
});

const variables = new MatchDecorator({
  regexp: /\{\{[^}]*\}\}|\{%[^%]*%\}/g,
  decoration: Decoration.mark({ class: 'cm-variable' }),
});
const markVariables = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = variables.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = variables.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function edit(area: HTMLTextAreaElement): void {
  const host = document.createElement('div');
  const wrong = area.getAttribute('aria-invalid') === 'true';
  host.className = `editor-host form-control p-0 overflow-hidden ${wrong ? 'is-invalid' : ''}`;
  // Ids do not reach into the shadow root: the words themselves do.
  const about = (area.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id));
  area.before(host);
  const root = host.attachShadow({ mode: 'open' });
  const parent = document.createElement('div');
  root.append(parent);
  const view = new EditorView({
    root,
    parent,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        highlightActiveLine(),
        html(),
        syntaxHighlighting(colours),
        markVariables,
        theme,
        EditorView.lineWrapping,
        // Tab leaves the editor: nobody is caught in it.
        keymap.of([...defaultKeymap, ...historyKeymap]),
        EditorView.contentAttributes.of({
          tabindex: '0',
          'aria-label': area.labels[0]?.textContent?.trim() ?? '',
          'aria-description': about.map((element) => element?.textContent ?? '').join(' '),
          ...(wrong ? { 'aria-invalid': 'true' } : {}),
        }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event('input', { bubbles: true }));
        }),
      ],
    }),
  });
  area.hidden = true;
  area.labels[0]?.addEventListener('click', () => view.focus());
  document.addEventListener('gonets:insert', (event) => {
    view.dispatch(view.state.replaceSelection((event as CustomEvent<string>).detail));
    view.focus();
  });
}

for (const area of document.querySelectorAll<HTMLTextAreaElement>('textarea[data-editor]')) edit(area);
