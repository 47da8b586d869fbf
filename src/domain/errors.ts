import type { ErrorCode, RefusalCode } from './codes';

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
  | 'rate_limited'
  | 'unavailable';

/** One thing that is wrong with one input field; `field` is the path the caller used (`clientIds.3`). */
export interface FieldError {
  field: string;
  message: string;
}

/** Base of all expected errors. `code` is stable and documented; `message` is one sentence for people. */
export class DomainError extends Error {
  constructor(
    readonly kind: ErrorKind,
    readonly code: ErrorCode,
    message: string,
    readonly details: { errors?: FieldError[]; runId?: number; retryAfterS?: number } = {},
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** Input that can't be accepted; every problem is listed with its field. */
export class ValidationError extends DomainError {
  constructor(errors: FieldError[]) {
    super('invalid', 'VALIDATION_FAILED', errors.map((e) => `${e.field}: ${e.message}`).join('; '), { errors });
  }
}

/** The object is not there, or not the caller's: the two are never told apart. */
export class NotFoundError extends DomainError {
  constructor(what: string, id: string | number) {
    super('not_found', 'NOT_FOUND', `${what} ${id} does not exist.`);
  }
}

/** The state of the object forbids it; `code` says which state. */
export class ConflictError extends DomainError {
  constructor(code: RefusalCode, message: string, details: { runId?: number } = {}) {
    super('conflict', code, message, details);
  }
}

/** The caller is known but may not do this. */
export class ForbiddenError extends DomainError {
  constructor(message = 'Your role does not allow this.') {
    super('forbidden', 'FORBIDDEN', message);
  }
}
