/** `data-dialog="id"` opens that question, `data-close` closes it. Links that act as buttons are pressed by Space too. */
export function watchConfirmations(): void {
  document.addEventListener('keydown', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('a[role=button]');
    if (event.key !== ' ' || !button) return;
    event.preventDefault();
    button.click();
  });
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-dialog]');
    const dialog = button && document.getElementById(button.dataset.dialog ?? '');
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      dialog.showModal();
    }
    const close = (event.target as Element).closest('[data-close]');
    if (close) {
      const open = close.closest('dialog');
      if (open) {
        event.preventDefault();
        open.close();
      }
    }
  });
}

/** A second click on a form that is on its way does nothing; coming back by the history makes it usable again. */
export function watchDoubleSubmits(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (event.defaultPrevented || form.method !== 'post') return;
    if (form.dataset.sent === 'true') {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'true';
    for (const button of form.querySelectorAll('button[type=submit],button:not([type])'))
      button.setAttribute('aria-busy', 'true');
  });
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll<HTMLFormElement>('form[data-sent]')) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll('[aria-busy]')) button.removeAttribute('aria-busy');
    }
  });
}

/** `data-shows="name=value"`: a part of a form that belongs to one choice is shown with that choice. */
export function watchSelections(): void {
  const update = () => {
    for (const part of document.querySelectorAll<HTMLElement>('[data-shows]')) {
      const [name, value] = (part.dataset.shows ?? '').split('=');
      const chosen = document.querySelector<HTMLInputElement>(`[name="${name}"]:checked, select[name="${name}"]`);
      part.hidden = chosen?.value !== value;
    }
  };
  document.addEventListener('change', update);
  update();
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-insert]');
    if (button) document.dispatchEvent(new CustomEvent('gonets:insert', { detail: button.dataset.insert }));
    const add = (event.target as Element).closest<HTMLElement>('[data-add]')?.dataset.add;
    const list = document.querySelector<HTMLTextAreaElement>('textarea[name="clientIds"]');
    if (add && list && !list.value.split(/\s/).includes(add)) {
      list.value = `${list.value}${list.value && !list.value.endsWith('\n') ? '\n' : ''}${add}\n`;
      list.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
}

/** `data-copy="id"` copies what stands in that element. */
export function watchCopy(): void {
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-copy]');
    const text = button && document.getElementById(button.dataset.copy ?? '')?.textContent;
    if (text) void navigator.clipboard.writeText(text).then(() => button.setAttribute('data-copied', 'true'));
  });
}
