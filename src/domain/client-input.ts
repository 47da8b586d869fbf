import { parseEmailAddress, singleLineProblem } from './email-address';
import { at, type FieldProblem, problem } from './problems';

/** A client as given by a form, a request or a line of a CSV file. */
export interface ClientInput {
  email: string;
  /** Nobody has to have a name. */
  fullName?: string | null;
  comment?: string | null;
}

export type CheckedClient =
  { ok: true; client: { email: string; fullName: string; comment: string } } | { ok: false; errors: FieldProblem[] };

const COMMENT_MAX = 10_000;
// Line breaks and tabs are fine in a comment; Postgres can't store NUL.

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** The rules for a client, the same for REST, pages, CLI and CSV. A problem names the field and what is allowed. */
export function checkClient(input: ClientInput): CheckedClient {
  const email = parseEmailAddress(input.email);
  const fullName = (input.fullName ?? '').trim();
  const given = input.comment ?? '';
  const comment = (given.includes('\r') ? given.replace(/\r\n?/g, '\n') : given).trim();
  const errors = [
    ...at('email', email.ok ? null : email.problem),
    ...at('fullName', fullName === '' ? null : singleLineProblem(fullName, 200)),
    ...at('comment', comment.length > COMMENT_MAX ? problem('too_long', { max: COMMENT_MAX }) : null),
    ...at('comment', CONTROLS.test(comment) ? problem('controls') : null),
  ];
  return errors.length === 0 && email.ok
    ? { ok: true, client: { email: email.email, fullName, comment } }
    : { ok: false, errors };
}
