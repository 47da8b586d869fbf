import type { Response } from 'express';

/** Leaves a sentence (Reader.flash) for the next page. */
export function setFlash(response: Response, flash: string, secure: boolean): void {
  response.cookie('gonets_flash', flash, { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: 60_000 });
}
