/** What came of keeping: `refused` is for the form itself to find out and explain. */
export type Outcome = 'kept' | 'refused' | 'over' | 'other' | 'away' | 'busy';

const PATIENCE_MS = 15_000;
/** Not followed to the page for signing in, but told. */
const AS_SCRIPT = { 'HX-Request': 'true' };

/**
 * Keeps a text as the user's draft on the server, with a fresh token where that of the page has become stale.
 * @param user by whom the form was opened
 * @param mark the field by which the form, and what is typed into it later, knows its draft
 */
export async function postDraft(
  body: URLSearchParams,
  user: string,
  mark: HTMLInputElement | null = null,
  isAgain = false,
): Promise<Outcome> {
  const answer = await ask('/drafts', { method: 'POST', body });
  if (answer === null) return 'away';
  if (answer.ok) {
    const { keptAt } = (await answer.json().catch(() => ({}))) as { keptAt?: string };
    if (mark && keptAt) mark.value = keptAt;
    return 'kept';
  }
  if (answer.status === 401) return 'over';
  if (answer.status >= 500 || answer.status === 429) return 'busy';
  if (answer.status !== 403 || isAgain) return 'refused';
  const fresh = await ask('/drafts/token', {});
  if (fresh === null) return 'away';
  if (!fresh.ok) return fresh.status === 401 ? 'over' : 'busy';
  const { userId, csrfToken } = (await fresh.json()) as { userId: number; csrfToken: string };
  if (String(userId) !== user) return 'other';
  for (const field of document.querySelectorAll<HTMLInputElement>('input[name=_csrf]')) field.value = csrfToken;
  body.set('_csrf', csrfToken);
  return postDraft(body, user, mark, true);
}

/** The answer, or null if there is none. */
async function ask(path: string, request: RequestInit): Promise<Response | null> {
  try {
    return await fetch(path, { ...request, headers: AS_SCRIPT, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return null;
  }
}
