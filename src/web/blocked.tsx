import { DomainError, ValidationError } from '../domain/errors';
import { problem, worded } from '../domain/problems';
import { page, type WebAnswer } from './answers';
import { type Blocked, BlockedPage } from './pages/blocked.page';
import type { Reader } from './reader';
import { fieldProblems } from './texts/texts';
import type { FormValues } from './web-controller';

/**
 * Does what makes letters go out, with the reason to override the check if the form has one. If the check refuses it, or
 * the reason is missing or too long, the answer is a page that says so.
 * @param about asked only then
 */
export async function orBlocked(
  reader: Reader,
  form: FormValues,
  work: (override: string | undefined) => Promise<WebAnswer>,
  about: () => Promise<Blocked>,
): Promise<WebAnswer> {
  const why = form.override?.trim() || undefined;
  try {
    return await work(why);
  } catch (error) {
    const problems = error instanceof ValidationError ? fieldProblems(error, reader.t) : {};
    const isBlocked = error instanceof DomainError && error.code === 'PREFLIGHT_BLOCKED';
    if (!isBlocked && !problems.override) throw error;
    if (isBlocked && form.override !== undefined && why === undefined)
      problems.override = worded(reader.t.problems, problem('required'));
    const findings = isBlocked ? (error.details.findings ?? []) : [];
    const body = <BlockedPage findings={findings} blocked={await about()} form={{ values: form, problems }} />;
    return page((t) => t.preflight.blocked, body, problems.override ? 400 : 409);
  }
}
