import { parseEmailAddress, singleLineProblem } from './email-address';
import type { FieldError } from './errors';

/** A client as given by a form, a request or a line of a CSV file. */
export interface ClientInput {
  email: string;
  fullName: string;
  comment?: string | null;
}

export type CheckedClient =
  { ok: true; client: { email: string; fullName: string; comment: string } } | { ok: false; errors: FieldError[] };

const COMMENT_MAX = 10_000;
// Line breaks and tabs are fine in a comment; Postgres can't store NUL.

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** The one meaning of a good client, for REST, web, CLI and CSV. Names the field and what is allowed. */
export function checkClient(input: ClientInput): CheckedClient {
  const errors: FieldError[] = [];
  const email = parseEmailAddress(input.email);
  if (!email.ok) errors.push({ field: 'email', message: email.message });
  const fullName = input.fullName.trim();
  const nameProblem = fullName === '' ? 'must not be empty' : singleLineProblem(fullName, 200);
  if (nameProblem) errors.push({ field: 'fullName', message: nameProblem });
  const comment = (input.comment ?? '').replace(/\r\n?/g, '\n').trim();
  if (comment.length > COMMENT_MAX)
    errors.push({ field: 'comment', message: `must have at most ${COMMENT_MAX} characters` });
  if (CONTROLS.test(comment)) errors.push({ field: 'comment', message: 'must not contain control characters' });
  return errors.length === 0 && email.ok
    ? { ok: true, client: { email: email.email, fullName, comment } }
    : { ok: false, errors };
}
