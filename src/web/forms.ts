import type { ErrorCode } from '../domain/codes';
import { DomainError, type ErrorKind, ValidationError } from '../domain/errors';
import { STATUS_OF_KIND } from '../http/problem.filter';
import type { FormState, WebAnswer } from './answers';
import type { Reader } from './reader';
import { afterChange, type Opened } from './kept-form';
import { refusal } from './codes';
import { fieldProblems } from './texts/texts';
import type { FormValues } from './web-controller';

/** The field of a form that a refusal is about. */
const FIELD_OF: Partial<Record<ErrorCode, string>> = {
  EMAIL_TAKEN: 'email',
  FIELD_EXISTS: 'key',
  TAG_EXISTS: 'name',
  SEGMENT_NAME_TAKEN: 'name',
};

/** What a form is shown again for; `unavailable` is what may work in a moment, such as without Redis to count. */
const AGAIN: readonly ErrorKind[] = ['invalid', 'conflict', 'rate_limited', 'unavailable'];

/**
 * Does the work of a form. If it is refused, or not possible just now, the form is shown again, with what was typed and
 * each problem at its field.
 * @param now what the form would contain if it were opened now; for forms of things that others may change, too
 */
export async function submit(
  reader: Reader,
  values: FormValues,
  work: () => Promise<WebAnswer>,
  again: (state: FormState) => WebAnswer | Promise<WebAnswer>,
  now?: () => Promise<Opened>,
): Promise<WebAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError) || !AGAIN.includes(error.kind)) throw error;
    let state: FormState = { values, problems: {} };
    const { changed, retryAfterS } = error.details;
    if (changed && now) state = afterChange(values, await now(), changed);
    else if (error instanceof ValidationError) state.problems = fieldProblems(error, reader.t);
    else if (error.code in FIELD_OF) state.problems = { [FIELD_OF[error.code]!]: refusal(error, reader.t) };
    else state.problem = refusal(error, reader.t);
    const answer = await again(state);
    if (answer.kind === 'page') {
      answer.status = STATUS_OF_KIND[error.kind];
      if (retryAfterS !== undefined) answer.retryAfterS = retryAfterS;
    }
    return answer;
  }
}
