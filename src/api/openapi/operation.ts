import type { RefusalCode } from '../../domain/codes';
import { type Kind, part, type Schema, type ShapeClass } from './shape';

type AnswerShape = Kind<unknown> | ShapeClass<unknown> | Content | null;

/** An answer that is no JSON. */
export interface Content {
  content: Record<string, { schema: Schema }>;
  headers?: Record<string, object>;
}

export const REQUIRED_TEXT_HEADER = { schema: { type: 'string' }, required: true };

export const CSV: Content = {
  content: { 'text/csv': { schema: { type: 'string' } } },
  headers: { 'Content-Disposition': REQUIRED_TEXT_HEADER },
};

export const JSON_FILE: Content = {
  content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
  headers: { 'Content-Disposition': REQUIRED_TEXT_HEADER },
};

/** The body of a route that takes a CSV file, as it is or in a form. Any text is accepted: what is no table is said so. */
export const csvUpload = (description: string): Content['content'] => ({
  'text/csv': { schema: { description } },
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { file: { type: 'string', format: 'binary', description } },
      required: ['file'],
    },
  },
});

/** The body of a route that takes a file of any kind in a form. */
export const fileUpload = (description: string, fields: Schema = {}): Content['content'] => ({
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { ...fields, file: { type: 'string', format: 'binary', description } },
      required: ['file'],
    },
  },
});

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** The same of a route that takes workbooks, too. */
export const tableUpload = (description: string): Content['content'] => ({
  ...csvUpload(description),
  [XLSX]: { schema: { description } },
});

/** `{}` */
export const EMPTY: Kind<object> = { schema: { type: 'object' } };

export interface OperationFacts {
  summary: string;
  answer: Schema;
  description?: string;
  /** Codes of the answers 409. */
  conflicts?: readonly RefusalCode[];
  /** Further problem statuses, beside those that follow from the kind of route. */
  problems?: readonly number[];
  /** Further answers that are not problems. */
  answers?: Record<number, Schema>;
  /** The body of a route that reads it by itself. */
  upload?: Content['content'];
}

type Given = Omit<OperationFacts, 'summary' | 'answer' | 'answers'> & { answers?: Record<number, AnswerShape> };

const FACTS = 'gonets.operation';

/**
 * Describes a route in the OpenAPI document: a summary, its answer (`null`: none), and what does not follow from its
 * method, path, parameters and guards (see `ApiController`).
 */
export const Operation =
  (summary: string, answer: AnswerShape, { answers = {}, ...more }: Given = {}): MethodDecorator =>
  (_target, _name, descriptor) => {
    const others = Object.fromEntries(Object.entries(answers).map(([status, shape]) => [status, contentOf(shape)]));
    const facts: OperationFacts = { summary, answer: contentOf(answer), answers: others, ...more };
    Reflect.defineMetadata(FACTS, facts, descriptor.value as object);
  };

export const operationFacts = (handler: object): OperationFacts | undefined =>
  Reflect.getMetadata(FACTS, handler) as OperationFacts | undefined;

function contentOf(answer: AnswerShape): Schema {
  if (answer === null) return {};
  if ('content' in answer) return { content: answer.content, headers: answer.headers };
  const { schema } = 'fields' in answer ? part(answer) : answer;
  return { content: { 'application/json': { schema } } };
}
