import type { Desk } from './desk';

/** Sends a picture to the service. @returns the source for the document, or null; what went wrong is said */
export async function uploadPicture(desk: Desk, file: File): Promise<string | null> {
  const { live } = desk.words;
  desk.speaker.say(live.uploading);
  const body = new FormData();
  body.set('file', file);
  const token = desk.form.querySelector<HTMLInputElement>('input[name=_csrf]')?.value ?? '';
  const answer = await fetch('/api/v1/media', {
    method: 'POST',
    body,
    headers: { 'X-CSRF-Token': token },
    signal: AbortSignal.timeout(60_000),
  }).catch(() => null);
  const made = answer?.ok ? ((await answer.json().catch(() => null)) as { hash?: string } | null) : null;
  if (made?.hash) {
    desk.speaker.say(live.uploaded);
    return `media:${made.hash}`;
  }
  desk.complain(answer?.status === 404 ? live.notHere : live.noUpload);
  return null;
}
