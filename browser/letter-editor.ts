/**
 * The editor of letters in blocks: ProseMirror over the form's fields, which stay the source of truth. Without a script
 * the page has a plain form in its place.
 */
import { Desk } from './letter-editor/desk';
import { element, icon } from './letter-editor/elements';
import { dragHandle } from './letter-editor/handle';
import { addBlock, kindsOf } from './letter-editor/kinds';
import { editLetter } from './letter-editor/letter';
import { editLine } from './letter-editor/line';
import { previewKey } from './letter-editor/looks';
import { Menu } from './letter-editor/menu';
import { Panel } from './letter-editor/panel';
import { deedsOf } from './letter-editor/plugins';
import { Toolbar } from './letter-editor/toolbar';
import { Speaker, type Words } from './letter-editor/words';

function edit(host: HTMLElement): void {
  const form = host.closest('form');
  const field = form?.querySelector<HTMLInputElement>('input[name=document]');
  if (!form || !field) return;
  const words = JSON.parse(host.dataset.letterEditor ?? '{}') as Words;
  const region = element('p', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  const problem = element('p', { class: 'alert alert-warning', hidden: true });
  const desk = new Desk(words, new Speaker(region), form, problem);
  const deeds = deedsOf(desk);
  const panel = new Panel(desk, deeds);
  // That of a button is the button's own.
  const toLink = () => panel.focus('link') || panel.focus('href');
  desk.toSettings = () => void panel.focus();
  const toolbar = new Toolbar(desk, toLink);
  const toSettings = () => panel.focus();
  const toTools = () => toolbar.focus();

  const sheet = element('div', { class: 'le-sheet' });
  const add = element('button', { type: 'button', class: 'btn btn-secondary' }, icon('plus'), words.live.addEnd);
  const end = new Menu(
    add,
    words.live.addLabel,
    kindsOf(words).map(({ id, label, icon: look }) => ({ label, icon: look, pick: () => addBlock(desk, id, true) })),
    () => add.focus(),
  );
  end.dom.classList.add('le-add-end');
  host.replaceChildren(toolbar.dom, problem, element('div', { class: 'le-desk' }, sheet, panel.dom), end.dom, region);
  // The button stands under the sheet, the panel beside both.
  sheet.after(end.dom);
  desk.letter = editLetter(field, sheet, desk, deeds, { settings: toSettings, link: toLink, tools: toTools });
  dragHandle(desk.letter, sheet, words.live.drag);
  for (const input of form.querySelectorAll<HTMLInputElement>('input[data-line]'))
    editLine(input, desk, toSettings, toTools);
  showProblems(form, desk);
  previewKey(words);
  document.getElementById('letter-label')?.addEventListener('click', () => desk.letter?.focus());
  desk.changed();
  host.dataset.ready = '';
}

/** Each problem of a block leads to it. */
function showProblems(form: HTMLFormElement, desk: Desk): void {
  for (const item of form.querySelectorAll<HTMLElement>('[data-at]')) {
    const [, index] = /\.content\.(\d+)$/.exec(item.dataset.at ?? '') ?? [];
    if (index === undefined) continue;
    const button = element('button', { type: 'button', class: 'btn btn-sm btn-secondary' }, item.textContent ?? '');
    button.addEventListener('click', () => desk.choose(Number(index)));
    item.replaceChildren(button);
  }
}

for (const host of document.querySelectorAll<HTMLElement>('[data-letter-editor]')) edit(host);
