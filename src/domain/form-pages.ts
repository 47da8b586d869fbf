/**
 * The pages with forms whose text is kept until it is saved. The form is sent to the path of its page. What a page was
 * opened with (a message or segment chosen before, the page to return to) belongs to its address: these are different
 * drafts.
 */
const FORMS = /^\/(?:(?:messages|mailings|segments|clients|forms)\/new|messages\/\d{1,15}|sender)$/;
const EDITS = /^\/(?:mailings|segments|clients|forms)\/\d{1,15}\/edit$/;
/** Of a window whose text must not take the place of that of another one, see `inWindow`. */
const WINDOW = /^[\da-f]{8}$/;

/** The address of such a page in its only form, from any address with path and query; null for other pages. */
export function formPage(address: unknown): string | null {
  if (typeof address !== 'string' || address.length > 500) return null;
  const [path = '', query = ''] = address.split('?', 2) as [string, string?];
  if (!FORMS.test(path) && !EDITS.test(path)) return null;
  const asked = new URLSearchParams(query);
  const window = asked.get('window') ?? '';
  const page = path === '/messages/new' ? newMessage(asked) : path === '/mailings/new' ? newMailing(asked) : path;
  return WINDOW.test(window) ? inWindow(page, window) : page;
}

/** The same page as another draft. */
export const inWindow = (page: string, window: string): string =>
  `${page}${page.includes('?') ? '&' : '?'}window=${window}`;

const OF_THING = /^\/(mailings|segments|clients|forms)\/\d+\/edit(?:\?|$)/;
const OF_MESSAGE = /^\/messages\/\d+(?:\?|$)/;

/** The page on which a thing is made like the one of this page, if that is gone; null for pages that are of no thing. */
export function pageOfNew(page: string, isOfBlocks: boolean): string | null {
  const [, things] = OF_THING.exec(page) ?? [];
  if (things !== undefined) return `/${things}/new`;
  return OF_MESSAGE.test(page) ? `/messages/new?as=${isOfBlocks ? 'blocks' : 'html'}` : null;
}

function newMailing(asked: URLSearchParams): string {
  for (const name of ['messageId', 'segmentId'])
    if (/^\d{1,15}$/.test(asked.get(name) ?? '')) return `/mailings/new?${name}=${asked.get(name)}`;
  return '/mailings/new';
}

const STARTER = /^[a-z][a-z-]{0,30}$/;

/** A new message is HTML, or blocks that begin with a starter: each is a draft of its own, and so for each mailing. */
function newMessage(asked: URLSearchParams): string {
  const [kind, starter] = [asked.get('as'), asked.get('starter')];
  const back = mailingForm(asked.get('back'));
  const query = new URLSearchParams({
    ...((kind === 'html' || kind === 'blocks') && { as: kind }),
    ...(kind === 'blocks' && starter && STARTER.test(starter) && { starter }),
    ...(back !== null && { back }),
  });
  return query.size > 0 ? `/messages/new?${query}` : '/messages/new';
}

/** The address of a mailing's form, or null. */
export const mailingForm = (address: unknown): string | null =>
  typeof address === 'string' && address.startsWith('/mailings/') && formPage(address) === address ? address : null;

/** Where somebody returns to who writes a message for a mailing on this page; null: nowhere. */
export const backOf = (page: string | null): string | null =>
  page === null ? null : mailingForm(new URLSearchParams(page.split('?', 2)[1] ?? '').get('back'));
