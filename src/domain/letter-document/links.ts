/** What a link of a letter may lead to: the web, an address, a telephone, or what a variable says. */
const SCHEME = /^(?:https?:\/\/[^\s/?#]|mailto:[^\s]|tel:[+\d])/i;
const ONLY_VARIABLE = /^\{\{\s*([\w.]+)\s*\}\}$/;
/** A variable within a link: its name. Filters and tags are not for links; other braces are characters as any. */
export const LINK_VARIABLES = /\{\{\s*([\w.]+)\s*\}\}/g;

export const LINK_MAX = 2_000;

/** What stands before the query and the fragment of a web address, up to its path: where no variable may decide. */
const HOST = /^https?:\/\/[^/?#]*/i;

/** Whether a text can be the target of a link. Whether its variables exist is not decided here. */
export function isLink(href: string): boolean {
  if (href.length > LINK_MAX) return false;
  if (ONLY_VARIABLE.test(href)) return true;
  // Browsers drop these from links, so that a scheme could hide behind them.
  if (!SCHEME.test(href) || /[\u0000-\u001f\u007f]/.test(href)) return false;
  return !HOST.exec(href)?.[0].includes('{{');
}

/** The name of the variable that is the whole link. */
export const variableOfLink = (href: string): string | null => ONLY_VARIABLE.exec(href)?.[1] ?? null;

/** The names of the variables in a link. */
export const variablesInLink = (href: string): string[] => [...href.matchAll(LINK_VARIABLES)].map(([, name]) => name!);

/** What a person typed as a link, completed: `example.org` means the web, `ann@example.org` a letter to her. */
export function completedLink(typed: string): string {
  const href = typed.trim();
  if (href === '' || isLink(href)) return href;
  if (/^[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+$/.test(href)) return `mailto:${href}`;
  if (/^\+?[\d\s().-]{6,20}$/.test(href)) return `tel:${href.replace(/[^\d+]/g, '')}`;
  return /^[^\s:/?#]+\.[^\s:/?#]{2,}(?:[:/?#]|$)/.test(href) ? `https://${href}` : href;
}

const MEDIA = /^media:[0-9a-f]{64}$/;

const STARTER = /^starter:[a-z]{1,40}$/;

/** Whether a text can be the source of a picture: one that was uploaded or is Gonets' own, or one from elsewhere by https. */
export const isPictureSource = (src: string): boolean =>
  MEDIA.test(src) ||
  STARTER.test(src) ||
  (src.length <= LINK_MAX && /^https:\/\/[^\s/?#]/i.test(src) && !/[\s"<>]|\{[{%]/.test(src));

/** Where Gonets serves a picture of a document; null for one that is elsewhere. */
export function picturePath(src: string): string | null {
  if (MEDIA.test(src)) return `/media/${src.slice('media:'.length)}`;
  return STARTER.test(src) ? `/assets/starters/${src.slice('starter:'.length)}.png` : null;
}
