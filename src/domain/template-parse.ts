import { LiquidError, type Liquid, type Template } from 'liquidjs';
import { invalid } from './errors';
import { TEMPLATE_FILTERS, TEMPLATE_TAGS } from './liquid';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { TemplateLimit } from './template-limit';
import { type OwnFields, placeOf, variableProblems } from './template-names';

/** The parts of a message. */
export type Part = 'subject' | 'body' | 'bodyText';

export const BODY_MAX = 200_000;
const MAX_LENGTH = { subject: 2_000, body: BODY_MAX, bodyText: BODY_MAX };
/** Of one field: analysing variables costs more than linear time. */
const MAX_TAGS = 1_000;
/** Of one field, within outputs and tags: names, operators, filters and arguments. */
const MAX_WORDS = 5_000;

export interface Checking {
  errors: FieldProblem[];
  fields: OwnFields;
  /** How much longer than a user's text it may be, with what only the service itself writes. */
  room: number;
}

/** Parses a part of a message and reports all that is wrong with it; empty if anything is. */
export function parsePart(engine: Liquid, field: Part, source: string, { errors, fields, room }: Checking): Template[] {
  const report = (found: CodedProblem) => void errors.push(...at(field, found));
  if (source.length > MAX_LENGTH[field] + room) {
    report(problem('too_long', { max: MAX_LENGTH[field] }));
    return [];
  }
  if ((source.match(/\{[{%]/g)?.length ?? 0) > MAX_TAGS + room) {
    report(problem('too_many_tags', { max: MAX_TAGS }));
    return [];
  }
  if (wordsOf(source) > MAX_WORDS + room) {
    report(problem('too_many_words', { max: MAX_WORDS }));
    return [];
  }
  try {
    const templates = engine.parse(source);
    variableProblems(templates, fields, room > 0).forEach(report);
    return templates;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    report(describe(error));
    return [];
  }
}

/** The approximate number of words in outputs and tags; a quoted text counts as one. */
function wordsOf(source: string): number {
  let words = 0;
  for (let from = source.search(/\{[{%]/); from >= 0;) {
    const end = source.indexOf(source[from + 1] === '{' ? '}}' : '%}', from);
    const to = end < 0 ? source.length : end;
    words += source.slice(from, to).match(/"[^"]*"|'[^']*'|[^\s"'|,:.[\]()]+/g)?.length ?? 0;
    const next = source.slice(to).search(/\{[{%]/);
    from = next < 0 ? -1 : to + next;
  }
  return words;
}

/** @throws ValidationError naming the part, if rendering fails */
export function guard<T>(field: Part, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof Error) throw invalid(field, describe(error));
    throw error;
  }
}

/**
 * The position and the problem. An unknown tag or filter is recognised by Liquid's message; then the known names are
 * listed.
 */
function describe(error: Error): CodedProblem {
  const cause = LiquidError.is(error) ? (error.originalError ?? error) : error;
  const place = LiquidError.is(error) ? placeOf(error.token) : {};
  if (cause instanceof TemplateLimit) return problem('template_limit', { ...place, ...cause.problem.values });
  if (cause instanceof RangeError) return problem('template_limit', { ...place, bound: 'depth' });
  const text = cause.message.replace(/, line:\d+, col:\d+[^]*$/, '');
  const [, filter] = /^undefined filter: (.*)$/.exec(text) ?? [];
  if (filter !== undefined) return problem('unknown_filter', { ...place, name: filter, known: TEMPLATE_FILTERS });
  const [, tag] = /^tag "(.*)" not found$/.exec(text) ?? [];
  if (tag !== undefined) return problem('unknown_tag', { ...place, name: tag, known: TEMPLATE_TAGS });
  return problem('template', { ...place, text });
}
