/** What opens over or within a page and is put away again: all of it works without a script, too, by its own button. */
const MENUS = 'details.more, details.bulk, details.columns-pick';

/** Menus that lie over the page are closed by a click beside them; within the others one chooses from the page itself. */
const OVER_THE_PAGE = 'details.more';

/**
 * Escape closes the innermost open menu, and the focus is back on its button; a click outside, or the focus going on to
 * something else, closes menus that lie over the page. A question that a menu has opened goes first.
 */
export function watchMenus(): void {
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const open = [...document.querySelectorAll<HTMLDetailsElement>(MENUS)].filter((menu) => menu.open);
    const menu = open.find((one) => one.contains(document.activeElement)) ?? open.at(-1);
    if (menu) {
      menu.open = false;
      menu.querySelector<HTMLElement>('summary')?.focus();
      event.preventDefault();
    } else if (location.hash === '#menu') {
      location.hash = '#main';
      document.querySelector<HTMLElement>('a[href="#menu"]')?.focus();
    }
  });
  const closeBeside = (target: EventTarget | null) => {
    if (!(target instanceof Element) || target.closest('dialog')) return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>(OVER_THE_PAGE))
      if (menu.open && !menu.contains(target)) menu.open = false;
  };
  document.addEventListener('click', ({ target }) => closeBeside(target));
  document.addEventListener('focusin', ({ target }) => closeBeside(target));
}

/** `data-back`: to the page before as it was left, with what was typed there; without a script the page is opened anew. */
export function watchWayBack(): void {
  document.addEventListener('click', (event) => {
    if (!(event.target as Element).closest('[data-back]') || history.length < 2) return;
    event.preventDefault();
    history.back();
  });
}
