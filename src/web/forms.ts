import type { ErrorCode } from '../domain/codes';
import { DomainError, ValidationError } from '../domain/errors';
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

/**
 * Does the work of a form. On invalid input the form is shown again, with what was typed and each problem at its field.
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
    if (!(error instanceof DomainError) || !['invalid', 'conflict', 'rate_limited'].includes(error.kind)) throw error;
    let state: FormState = { values, problems: {} };
    const { changed } = error.details;
    if (changed && now) state = afterChange(values, await now(), changed);
    else if (error instanceof ValidationError) state.problems = fieldProblems(error, reader.t);
    else if (error.code in FIELD_OF) state.problems = { [FIELD_OF[error.code]!]: refusal(error, reader.t) };
    else state.problem = refusal(error, reader.t);
    const answer = await again(state);
    if (answer.kind === 'page') answer.status = error.kind === 'conflict' ? 409 : error.kind === 'invalid' ? 400 : 429;
    return answer;
  }
}
