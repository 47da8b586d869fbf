import { element } from './elements';
import type { Words } from './words';

/** Alt+P, from anywhere on the page: the preview in its next view, first as on a phone. */
export function previewKey({ live }: Words): void {
  const views = [...document.querySelectorAll<HTMLInputElement>('.preview input[name=view]')];
  const hint = element('p', { class: 'hint key-hint' }, element('kbd', {}, 'Alt+P'), ` ${live.keyHelp.preview}`);
  document.querySelector('.preview h2')?.after(hint);
  document.addEventListener('keydown', (event) => {
    // By the place of the key, too: other alphabets have another letter there.
    const isKey = event.altKey && !event.ctrlKey && !event.metaKey && (event.key === 'p' || event.code === 'KeyP');
    const view = views[(views.findIndex(({ checked }) => checked) + 1) % views.length];
    if (!isKey || !view || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    view.focus();
    view.click();
  });
}
