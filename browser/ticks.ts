/**
 * Ticks before the rows of a list: all on the page at once, and those that stay when a search shows other rows. What is
 * ticked but not shown goes with the form as a hidden field, and the page says how many they are.
 */
export function watchTicks(): void {
  /** The names of the boxes that are ticked and not shown. */
  const hidden = new Set<string>();
  const bar = () => document.querySelector<HTMLElement>('[data-ticks]');
  const boxes = (form: string | undefined) =>
    form ? [...document.querySelectorAll<HTMLInputElement>(`input[type=checkbox][form="${form}"]`)] : [];

  const update = () => {
    const part = bar();
    if (!part) return;
    const all = boxes(part.dataset.ticks);
    const ticked = all.filter((box) => box.checked).length;
    part.hidden = false;
    const whole = part.querySelector<HTMLInputElement>('[data-tick-page]');
    if (whole) {
      whole.checked = ticked > 0 && ticked === all.length;
      whole.indeterminate = ticked > 0 && ticked < all.length;
    }
    const also = part.querySelector<HTMLElement>('[data-also-ticked]');
    if (!also) return;
    also.hidden = hidden.size === 0;
    const count = also.querySelector('[data-count]');
    if (count) count.textContent = new Intl.NumberFormat(document.documentElement.lang).format(hidden.size);
    for (const input of also.querySelectorAll('input')) input.remove();
    for (const name of hidden) {
      const input = Object.assign(document.createElement('input'), { type: 'hidden', name, value: '1' });
      input.setAttribute('form', part.dataset.ticks ?? '');
      also.append(input);
    }
  };

  document.addEventListener('change', (event) => {
    const box = event.target as HTMLInputElement;
    if (box.matches('[data-tick-page]')) for (const one of boxes(bar()?.dataset.ticks)) one.checked = box.checked;
    if (box.matches('[data-tick-page], input[type=checkbox][form]')) update();
  });
  document.addEventListener('click', (event) => {
    if (!(event.target as Element).closest('[data-untick]')) return;
    hidden.clear();
    update();
  });
  document.addEventListener('htmx:before:swap', () => {
    for (const box of boxes(bar()?.dataset.ticks)) {
      if (box.checked) hidden.add(box.name);
      else hidden.delete(box.name);
    }
  });
  document.addEventListener('htmx:after:swap', () => {
    for (const box of boxes(bar()?.dataset.ticks)) if (hidden.delete(box.name)) box.checked = true;
    update();
  });
  // Coming back by the history, the browser puts ticks back by itself.
  window.addEventListener('pageshow', update);
  update();
}
