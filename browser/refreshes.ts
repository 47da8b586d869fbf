import htmx from 'htmx.org/dist/htmx.esm.js';

type Input = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Refresh {
  target: Element;
  sourceElement: Element;
}

const refreshOf = (event: Event) => (event as CustomEvent<{ ctx: Refresh }>).detail.ctx;
const inputsOf = (part: Element): Input[] => [
  ...part.querySelectorAll<Input>('input[name],select[name],textarea[name]'),
];
const valuesOf = (part: Element): Map<string, string> =>
  new Map(inputsOf(part).map((input) => [input.name, input.value]));

/**
 * `data-keeps-typed`: while this element fetches a part of its form anew, somebody may go on typing in it. The answer
 * knows only what was sent, so what was typed since is put into the new inputs of the same names, and so is the cursor.
 */
export function watchRefreshes(): void {
  const sent = new WeakMap<Refresh, Map<string, string>>();
  const fetched = new WeakMap<Refresh, Map<string, string>>();

  document.addEventListener('htmx:config:request', (event) => {
    const refresh = refreshOf(event);
    if (refresh.sourceElement.matches('[data-keeps-typed]')) sent.set(refresh, valuesOf(refresh.target));
  });
  document.addEventListener('htmx:before:swap', (event) => {
    const refresh = refreshOf(event);
    const before = sent.get(refresh);
    const { target } = refresh;
    if (!before || !target.parentNode || event.defaultPrevented) return;
    const putBack = keep(target, before);
    // At once, and not by `htmx:after:swap`, which comes some milliseconds later: keys that are pressed until then are lost.
    const swapped = new MutationObserver(() => {
      swapped.disconnect();
      const next = document.getElementById(target.id);
      if (!next) return;
      fetched.set(refresh, valuesOf(next));
      putBack(next);
    });
    swapped.observe(target.parentNode, { childList: true });
  });
  // Only now do the new inputs answer to events: whatever follows from what was typed, such as the count, is done.
  document.addEventListener('htmx:after:swap', (event) => {
    const refresh = refreshOf(event);
    const answered = fetched.get(refresh);
    const next = document.getElementById(refresh.target.id);
    if (!answered || !next) return;
    for (const input of inputsOf(next)) {
      if (input.value === answered.get(input.name)) continue;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }
  });
}

/**
 * `data-keeps-choice`: while this element fetches a list to choose from, somebody may choose something else. The answer,
 * which has what was chosen before, is dropped and asked for again.
 */
export function watchChoices(): void {
  const chosen = new WeakMap<Refresh, string | undefined>();
  const chosenIn = (part: Element) => part.querySelector<HTMLInputElement>('input:checked')?.value;

  document.addEventListener('htmx:config:request', (event) => {
    const refresh = refreshOf(event);
    if (refresh.sourceElement.matches('[data-keeps-choice]')) chosen.set(refresh, chosenIn(refresh.target));
  });
  document.addEventListener('htmx:before:swap', (event) => {
    const refresh = refreshOf(event);
    if (event.defaultPrevented || !chosen.has(refresh) || chosen.get(refresh) === chosenIn(refresh.target)) return;
    event.preventDefault();
    htmx.trigger(refresh.sourceElement, 'again');
  });
}

/** Remembers what differs from `before`, and where the cursor is. @returns what puts it into the part that came instead */
function keep(part: Element, before: ReadonlyMap<string, string>): (next: Element) => void {
  const changed = [...valuesOf(part)].filter(([name, value]) => before.get(name) !== value);
  const focused = inputsOf(part).find((input) => input === document.activeElement);
  const cursor = focused instanceof HTMLInputElement ? focused.selectionStart : null;
  return (next) => {
    const inputs = new Map(inputsOf(next).map((input) => [input.name, input]));
    for (const [name, value] of changed) {
      const input = inputs.get(name);
      if (!input) continue;
      if (input instanceof HTMLSelectElement && ![...input.options].some((option) => option.value === value)) continue;
      input.value = value;
    }
    const again = focused && inputs.get(focused.name);
    if (!again) return;
    again.focus();
    if (again instanceof HTMLInputElement && cursor !== null && again.selectionStart !== null)
      again.setSelectionRange(cursor, cursor);
  };
}
