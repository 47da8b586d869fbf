import { cut } from './cut';
import type { ErrorCode, RefusalCode } from './codes';
import { english } from './problem-texts';
import type { Finding } from './preflight';
import { at, type CodedProblem, type FieldProblem } from './problems';

/**
 * Errors that a caller can do something about. Only the edges (API filter, web filter, CLI runner) translate them.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'unsupported'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable';

/** What uses a thing that can't be deleted therefore. */
export interface Use {
  kind: 'message' | 'segment' | 'run' | 'job';
  id: number;
  name: string;
}

/** Who changed a thing, and when, since somebody else began to change it. */
export interface Changed {
  /** Its present one. */
  version: number;
  /** Null: no user, or one who is not known any more. */
  by: { id: number; name: string } | null;
  /** ISO 8601. */
  at: string;
}

/** A problem of a field with its English words. */
export type ToldProblem = FieldProblem & { message: string };

/** A finding with its English words. */
export type ToldFinding = Omit<Finding, 'errors'> & { message: string; errors?: ToldProblem[] };

/** Base of all expected errors. `code` is stable and documented; `message` is one sentence for people. */
export class DomainError extends Error {
  constructor(
    readonly kind: ErrorKind,
    readonly code: ErrorCode,
    message: string,
    readonly details: {
      errors?: FieldProblem[];
      runId?: number;
      findings?: ToldFinding[];
      uses?: Use[];
      clients?: number;
      changed?: Changed;
      retryAfterS?: number;
    } = {},
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** At most so many problems of one input are listed. */
export const TOLD_ERRORS = 20;
const TOLD_LENGTH = { field: 100, value: 500 };

/** Input that can't be accepted; every problem is listed with its field, up to TOLD_ERRORS. */
export class ValidationError extends DomainError {
  constructor(errors: readonly FieldProblem[]) {
    const told = errors.slice(0, TOLD_ERRORS).map(shortened);
    const more = errors.length > TOLD_ERRORS ? `; and ${errors.length - TOLD_ERRORS} more` : '';
    super('invalid', 'VALIDATION_FAILED', told.map((e) => `${e.field}: ${english(e)}`).join('; ') + more, {
      errors: told,
    });
  }
}

/** One field is wrong. */
export const invalid = (field: string, found: CodedProblem) => new ValidationError(at(field, found));

function shortened({ field, code, values }: FieldProblem): FieldProblem {
  const short = (text: string, length: number) => (text.length > length ? `${cut(text, length)}…` : text);
  const told = Object.entries(values).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? short(value, TOLD_LENGTH.value) : value,
  ]);
  return { field: short(field, TOLD_LENGTH.field), code, values: Object.fromEntries(told) as unknown } as FieldProblem;
}

/** The object is not there, or not the caller's: the two are never told apart. */
export class NotFoundError extends DomainError {
  constructor(what: string, id: string | number) {
    super('not_found', 'NOT_FOUND', `${what} ${id} does not exist.`);
  }
}

/** For `catch`: turns a NotFoundError into null and throws any other error again. */
export function absent(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

/** The state of the object forbids it; `code` says which state. */
export class ConflictError extends DomainError {
  constructor(
    code: RefusalCode,
    message: string,
    details: { runId?: number; findings?: ToldFinding[]; uses?: Use[]; clients?: number; changed?: Changed } = {},
  ) {
    super('conflict', code, message, details);
  }
}

/** The caller is known but may not do this. */
export class ForbiddenError extends DomainError {
  constructor(message = 'Your role does not allow this.') {
    super('forbidden', 'FORBIDDEN', message);
  }
}
