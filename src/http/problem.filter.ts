import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  MethodNotAllowedException,
  NotFoundException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { isUnavailable } from '../database/database';
import { allowedMethods } from './allowed-methods';
import {
  type Changed,
  DomainError,
  type ErrorKind,
  type ToldFinding,
  type ToldProblem,
  type Use,
} from '../domain/errors';
import { told } from '../domain/problem-texts';

/**
 * An error in the form of RFC 9457, with a stable `code`, the request's id and, for invalid input, every field's
 * problem.
 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  errors?: ToldProblem[];
  runId?: number;
  /** What the check before a start has found. */
  findings?: ToldFinding[];
  /** What uses the thing that was to be deleted. */
  uses?: Use[];
  /** How many clients are in the way. */
  clients?: number;
  /** Who changed it meanwhile, and when. */
  changed?: Changed;
}

export const STATUS_OF_KIND: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
};

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Not possible now',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

const CODES: Record<number, string> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMITED',
};

/** Retry-After of answers with status 503, in seconds. */
const RETRY_AFTER_S = 5;

/** The problem that a caller gets for an error; unexpected errors reveal nothing. */
export function problemOf(error: unknown, requestId: string): { problem: Problem; retryAfterS?: number } {
  const make = (status: number, code: string, detail: string, more: Partial<Problem> = {}): Problem => ({
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    code,
    requestId,
    ...more,
  });
  if (error instanceof DomainError) {
    const { errors, runId, findings, uses, clients, changed, retryAfterS } = error.details;
    const problem = make(STATUS_OF_KIND[error.kind], error.code, error.message, {
      ...(errors && { errors: errors.map(told) }),
      ...(runId !== undefined && { runId }),
      ...(findings && { findings }),
      ...(uses && { uses }),
      ...(clients !== undefined && { clients }),
      ...(changed && { changed }),
    });
    return retryAfterS === undefined ? { problem } : { problem, retryAfterS };
  }
  if (isUnavailable(error)) {
    return {
      problem: make(
        503,
        'DATABASE_UNAVAILABLE',
        'The database is not available for now. Nothing was left half done. Try again soon.',
      ),
      retryAfterS: RETRY_AFTER_S,
    };
  }
  const status = httpStatus(error);
  if (status !== undefined && status < 500) {
    return { problem: make(status, CODES[status] ?? 'BAD_REQUEST', error instanceof Error ? error.message : '') };
  }
  return { problem: make(500, 'INTERNAL', 'Something went wrong; the log has more under this request id.') };
}

function httpStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { status, statusCode } = (error ?? {}) as { status?: unknown; statusCode?: unknown };
  const code = status ?? statusCode;
  return typeof code === 'number' && code >= 400 && code < 600 ? code : undefined;
}

/** Turns Nest's error for a missing route into 405 if only the method is wrong; `allow` is for the header Allow. */
export function methodError(error: unknown, request: Request): { error: unknown; allow?: string } {
  if (!(error instanceof NotFoundException)) return { error };
  const methods = allowedMethods(request);
  if (methods.length === 0) return { error };
  const allow = methods.join(', ');
  return { error: new MethodNotAllowedException(`${request.method} is not possible here, but ${allow}.`), allow };
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: PinoLogger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request & { id?: string }>();
    const response = http.getResponse<Response>();
    const { error, allow } = methodError(thrown, request);
    const { problem, retryAfterS } = problemOf(error, String(request.id ?? ''));
    if (problem.status >= 500)
      this.logger.error({ event: 'request.failed', requestId: problem.requestId, err: error }, 'Request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (retryAfterS !== undefined) response.setHeader('Retry-After', retryAfterS);
    if (allow !== undefined) response.setHeader('Allow', allow);
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
