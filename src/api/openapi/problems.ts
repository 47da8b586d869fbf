import { findingCodes, findingLevels } from '../../domain/preflight';
import { problemTexts } from '../../domain/problem-texts';
import type { ProblemCode } from '../../domain/problems';
import type { ToldProblem } from '../../domain/errors';
import type { Problem } from '../../http/problem.filter';
import { REQUIRED_TEXT_HEADER } from './operation';
import {
  count,
  details,
  id,
  listOf,
  maybe,
  nullable,
  oneOf,
  part,
  type Schema,
  said,
  Shape,
  text,
  timeText,
} from './shape';

/** The fields of one problem, in problem answers and in other answers that contain problems. */
export const codedProblem = {
  code: said('Stable, for programs.', oneOf(Object.keys(problemTexts) as ProblemCode[])),
  values: said('What the message names, each by its name.', details),
  message: said('The English words for it, which may change.', text),
};

class FieldErrorAnswer extends Shape({
  field: said('The path of the field, `clientIds.3`.', text),
  ...codedProblem,
}) {}

/** One line of the check before a start. */
export class FindingAnswer extends Shape({
  code: oneOf(findingCodes),
  level: oneOf(findingLevels),
  values: details,
  message: said('The English words for it, which may change.', text),
  errors: maybe(said('What is wrong with the message.', listOf(part(FieldErrorAnswer)))),
}) {}

class UseAnswer extends Shape({ kind: oneOf(['message', 'segment', 'run', 'job']), id, name: text }) {}

class ChangerAnswer extends Shape({ id, name: text }) {}

class ChangedAnswer extends Shape({
  version: said('Its present version.', count),
  by: said('Null: no user.', nullable(part(ChangerAnswer))),
  at: timeText,
}) {}

/** RFC 9457. */
class ProblemAnswer extends Shape({
  type: text,
  title: text,
  status: count,
  detail: said('One sentence for people.', text),
  code: said('Stable, for programs.', text),
  requestId: said('As in the header X-Request-Id and in the log.', text),
  errors: maybe(said('What is wrong with which field, at most 20.', listOf(part(FieldErrorAnswer)))),
  runId: maybe(said('The run that is in the way.', id)),
  findings: maybe(said('What the check before a start has found.', listOf(part(FindingAnswer)))),
  uses: maybe(said('What uses the field or tag that was to be deleted.', listOf(part(UseAnswer)))),
  clients: maybe(said('How many clients are in the way.', count)),
  changed: maybe(said('Who changed it meanwhile, and when.', part(ChangedAnswer))),
}) {}

export const PROBLEM_TYPE = 'application/problem+json';

const seconds = { schema: { type: 'integer', minimum: 1 }, required: true, description: 'Seconds to wait' };

const DESCRIPTIONS: Record<number, string> = {
  400: 'The request is malformed, or a field is not valid',
  401: 'Not signed in',
  403: 'The role, the token or its scope does not allow this, or a page of another site sent it',
  404: 'Not there, or not yours',
  409: 'The state forbids it',
  413: 'The body is too large',
  415: 'The body has another content type or character set than required, or is compressed',
  429: 'Too many requests: wait for Retry-After',
  503:
    'Postgres cannot be reached or takes no writes, or Redis, which counts attempts, cannot be reached. ' +
    'Nothing was changed: try again after Retry-After',
};

const HEADERS: Record<number, Record<string, object>> = {
  401: { 'WWW-Authenticate': REQUIRED_TEXT_HEADER },
  429: { 'Retry-After': seconds },
  503: { 'Retry-After': seconds },
};

/** The description of a problem status that a route may answer. */
export function problemResponse(status: number, codes: readonly string[] = []): Schema {
  const description = DESCRIPTIONS[status] ?? 'Problem';
  return {
    description: codes.length > 0 ? `${description}: ${codes.join(', ')}` : description,
    ...(HEADERS[status] && { headers: HEADERS[status] }),
    content: { [PROBLEM_TYPE]: { schema: part(ProblemAnswer).schema } },
  };
}

/** The compiler compares the schema with what the filter sends. */
export type ProblemMatches = [Problem, ToldProblem] extends [ProblemAnswer, FieldErrorAnswer] ? true : never;
export const problemMatches: ProblemMatches = true;
