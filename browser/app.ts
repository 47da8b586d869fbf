/** What every page loads: htmx for the live parts, and small helps for forms. All of it is optional to the pages. */
import htmx from 'htmx.org/dist/htmx.esm.js';
import { watchCopy, watchConfirmations, watchDoubleSubmits, watchSelections } from './forms';
import { watchKeptForms } from './keep';
import { forgetOld } from './kept-here';
import { watchMenus, watchWayBack } from './menus';
import { watchChoices, watchRefreshes } from './refreshes';
import { watchTicks } from './ticks';

/** Live parts rest while nobody looks or while a question is open, and catch up at once when somebody does. */
document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { sourceEvent?: Event } }>).detail;
  if (ctx.sourceEvent?.type === 'every' && (document.hidden || document.querySelector('dialog[open]')))
    event.preventDefault();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  for (const live of document.querySelectorAll('[data-live]')) htmx.trigger(live, 'wake');
});

/**
 * An error page in answer to a live part must not be put into the page. When the session is over, pages that only show
 * are loaded anew, which leads to sign in and back; a form keeps what was typed.
 */
document.addEventListener('htmx:before:swap', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { response?: { status: number }; sourceElement?: Element } }>).detail;
  const status = ctx.response?.status ?? 200;
  if (status >= 400) event.preventDefault();
  if (status === 401 && ctx.sourceElement?.closest('[data-live], form[role=search]')) location.reload();
});

/** What each search form asked for last. */
const asked = new WeakMap<Element, string>();
const askedBy = (form: HTMLFormElement): string =>
  JSON.stringify([...new FormData(form)].filter(([, value]) => typeof value === 'string'));
for (const form of document.querySelectorAll<HTMLFormElement>('form[role=search]')) asked.set(form, askedBy(form));

/** Whoever goes on from the search to the list would otherwise have it fetched once more under their hands. */
document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { sourceElement?: Element; sourceEvent?: Event } }>).detail;
  const form = ctx.sourceElement;
  if (!(form instanceof HTMLFormElement) || !form.matches('form[role=search]')) return;
  const now = askedBy(form);
  if (ctx.sourceEvent?.type === 'change' && asked.get(form) === now) event.preventDefault();
  asked.set(form, now);
});

/** What was searched for stands in the address: a reload, a bookmark and the way back find it again. */
document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { sourceElement?: Element } }>).detail;
  if (!ctx.sourceElement?.matches('form[role=search]')) return;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(ctx.sourceElement as HTMLFormElement))
    if (typeof value === 'string' && value !== '') query.append(name, value);
  history.replaceState(null, '', query.size > 0 ? `?${query}` : location.pathname);
});

/** Who registers, or signs in for the first time, gets the zone of the browser. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const field of document.querySelectorAll<HTMLInputElement>('input[data-browser-zone]')) field.value = zone;
if (document.querySelector('.door[data-browser-zone]'))
  document.cookie = `gonets_zone=${zone}; path=/; max-age=1800; samesite=lax`;

/** Printing needs a script: the button is there only with one. */
const showPrint = () => {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-print][hidden]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }
};
showPrint();
document.addEventListener('htmx:after:swap', showPrint);

watchConfirmations();
watchDoubleSubmits();
watchSelections();
watchCopy();
watchRefreshes();
watchChoices();
forgetOld();
watchKeptForms();
watchTicks();
watchMenus();
watchWayBack();

/** Loads a bundle that only some pages need, named by the page, when its part is there. */
async function loadFor(selector: string, name: string): Promise<void> {
  const src = document.querySelector<HTMLMetaElement>(`meta[name="gonets-${name}"]`)?.content;
  if (src && document.querySelector(selector)) await import(src);
}
void loadFor('[data-editor]', 'editor');
