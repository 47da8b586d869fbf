import { LiquidError, type Liquid, type Template, type Token } from 'liquidjs';
import { invalid, TOLD_ERRORS, ValidationError } from './errors';
import { type FooterParts, withHtmlFooter, withTextFooter } from './footer';
import { htmlToText, isPlainValue, textTemplate } from './html-text';
import { createEngine, escapeHtml, renderByLiquid, TEMPLATE_FILTERS, TEMPLATE_TAGS, type LetterData } from './liquid';
import type { Language } from './language';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { TemplateLimit } from './template-limit';
import { variablesOf, type Named } from './template-variables';
import { compileProgram, filler, programValues, withoutEmpty, type Filler, type Program } from './template-program';

export { TEMPLATE_FILTERS, TEMPLATE_TAGS, type LetterData } from './liquid';

/** Every variable that a template may use, with what the editor says about it. */
export const TEMPLATE_VARIABLES: readonly { name: string; description: string }[] = [
  { name: 'client.fullName', description: "The client's full name" },
  { name: 'client.email', description: "The client's e-mail address" },
  { name: 'client.comment', description: 'The comment kept on the client' },
  { name: 'mailing.name', description: "The mailing's name" },
  { name: 'sender.name', description: "The sender's name" },
  { name: 'sender.email', description: "The sender's e-mail address" },
  { name: 'unsubscribeUrl', description: 'The address of the page on which the client unsubscribes' },
  { name: 'senderAddress', description: 'The postal address of the sender' },
  { name: 'date', description: 'The date of the letter; for example {{ date | date: "%d.%m.%Y" }}' },
];

const MAX_LENGTH = { subject: 2_000, body: 200_000, bodyText: 200_000 };
/** Of one field: analysing variables costs more than linear time. */
const MAX_TAGS = 1_000;
/** Of one field, within outputs and tags: names, operators, filters and arguments. */
const MAX_WORDS = 5_000;
const MAX_TEXT_TEMPLATES = 32;
/** What the footer may add to each of these. */
const OWN_LENGTH = 1_000;

/** What a message says, as its owner wrote it; `body` is HTML. */
export interface ContentSource {
  subject: string;
  body: string;
  /** The text part; made from the HTML if absent. */
  bodyText?: string | null;
}

export interface RenderedContent {
  /** One line, without control characters. */
  subject: string;
  /** With line breaks of any kind, as the text. */
  html: string;
  text: string;
}

/** A compiled message, for any number of letters. The same data always gives the same letter. */
export interface ContentTemplate {
  /** @throws ValidationError naming the field, if this data takes the template over its limits */
  render(data: LetterData): RenderedContent;
}

export type CompiledContent = { ok: true; content: ContentTemplate } | { ok: false; errors: readonly FieldProblem[] };

type Field = keyof ContentSource;

const VARIABLES = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name));
const ROOTS = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name.split('.')[0]!));
/** The properties of `forloop` that templates may use; as a JavaScript object it also has those of every object. */
const LOOP_VARIABLES = 'first last index index0 rindex rindex0 length'.split(' ').map((name) => `forloop.${name}`);
const htmlEngine = createEngine('html');
const textEngine = createEngine('text');

/**
 * Made-up clients: every template must render for these before it is accepted. What stands in the footer has characters
 * that HTML escapes, so that it is not taken for shown where a reader would see markup.
 */
const SAMPLES: LetterData[] = ['', 'Ann <b> & "Bob" O\'Neil'].map((text) => ({
  client: { fullName: text, email: 'ann@example.org', comment: text },
  mailing: { name: text },
  sender: { name: text, email: 'sender@example.org' },
  date: '2027-03-31T09:00:00Z',
  unsubscribeUrl: 'https://example.org/u/sample?a=1&b=2',
  senderAddress: 'Sample street 1 & 2, "Sampletown"',
  footerText: 'Sample',
}));

/**
 * Compiles a message's templates, or says all that is wrong with them: where, and for an unknown variable or filter its
 * name and those that exist. Liquid without files, network, clock and randomness; HTML output is always escaped.
 * @param footer the language of the standard footer. A letter gets each of its two parts, the link to unsubscribe and
 * the sender's postal address, where it does not show that by itself. Absent: no footer is added.
 */
export function compileContent(source: ContentSource, footer?: Language): CompiledContent {
  const compiled = compileSource(source);
  return compiled.ok && footer ? compileWithFooter(source, compiled.content, footer) : compiled;
}

/** Decides by what the letter shows, not by the names in its source: a variable may stand in a comment, or behind a condition. */
function compileWithFooter(source: ContentSource, plain: ContentTemplate, footer: Language): CompiledContent {
  const { html, text } = missingParts(plain);
  const body = html ? withHtmlFooter(source.body, footer, html) : source.body;
  const given = source.bodyText ?? null;
  const bodyText = given !== null && text ? withTextFooter(given, footer, text) : given;
  if (body === source.body && bodyText === given) return { ok: true, content: plain };
  const compiled = compileSource({ ...source, body, bodyText }, OWN_LENGTH);
  if (!compiled.ok) return compiled;
  const left = missingParts(compiled.content);
  if (!left.html && (given === null || !left.text)) return compiled;
  return { ok: false, errors: at(left.html ? 'body' : 'bodyText', problem('footer_hidden')) };
}

/** What a reader of the HTML, and one of the text, would not see; null where nothing is missing. */
function missingParts(content: ContentTemplate): { html: FooterParts | null; text: FooterParts | null } {
  const letters = SAMPLES.map((sample) => ({ sample, ...content.render(sample) }));
  const missing = (shown: (letter: (typeof letters)[number]) => string): FooterParts | null => {
    const lacks = (of: 'unsubscribeUrl' | 'senderAddress') =>
      letters.some((letter) => !shown(letter).includes(letter.sample[of] ?? ''));
    const parts = { link: lacks('unsubscribeUrl'), address: lacks('senderAddress') };
    return parts.link || parts.address ? parts : null;
  };
  return { html: missing(({ html }) => htmlToText(html)), text: missing(({ text }) => text) };
}

function compileSource(source: ContentSource, room = 0): CompiledContent {
  const errors: FieldProblem[] = [];
  const subject = parse(textEngine, 'subject', source.subject, errors, room);
  const body = parse(htmlEngine, 'body', source.body, errors, room);
  const bodyText =
    typeof source.bodyText === 'string' ? parse(textEngine, 'bodyText', source.bodyText, errors, room) : null;
  if (errors.length > 0) return { ok: false, errors };

  const content = createContent(subject, body, bodyText);
  try {
    for (const sample of SAMPLES) content.render(sample);
  } catch (error) {
    if (error instanceof ValidationError) return { ok: false, errors: error.details.errors ?? [] };
    throw error;
  }
  return { ok: true, content };
}

function createContent(subject: Template[], body: Template[], bodyText: Template[] | null): ContentTemplate {
  const renderSubject = renderer(textEngine, 'subject', subject);
  const renderBody = bodyText
    ? both(renderer(htmlEngine, 'body', body), renderer(textEngine, 'bodyText', bodyText))
    : bodyRenderer(body);
  return { render: (data) => ({ subject: singleLine(renderSubject(data)), ...renderBody(data) }) };
}

const both = (html: (data: LetterData) => string, text: (data: LetterData) => string) => (data: LetterData) => ({
  html: html(data),
  text: text(data),
});

/**
 * The HTML part, and the text part made from it: from the template where that is exactly the same, else from each
 * letter.
 */
function bodyRenderer(templates: Template[]): (data: LetterData) => { html: string; text: string } {
  const program = compileProgram(htmlEngine, templates);
  if (!program || program.isHtml.includes(true) || !textTemplate(program)) {
    const render = renderer(htmlEngine, 'body', templates);
    return (data) => {
      const html = render(data);
      return { html, text: htmlToText(html) };
    };
  }
  const findText = textTemplates(program);
  const fill = filler(program);
  return (data) => {
    const values = guard('body', () => programValues(htmlEngine, program, data));
    const html = guard('body', () => fill(htmlValues(program, values)));
    const text = values.every((value) => value === '' || isPlainValue(value)) ? findText(values) : null;
    return { html, text: text ? text(values) : htmlToText(html) };
  };
}

/**
 * The text template of a program for these values. There is one for each combination of empty values, because an empty
 * value can change the text around it.
 */
function textTemplates(program: Program): (values: string[]) => Filler | null {
  const known = new Map<string, Filler | null>();
  return (values) => {
    const key = values.map((value) => (value === '' ? '0' : '1')).join('');
    let text = known.get(key);
    if (text === undefined) {
      if (known.size === MAX_TEXT_TEMPLATES) return null;
      const made = textTemplate(withoutEmpty(program, values));
      text = made && filler(made);
      known.set(key, text);
    }
    return text;
  };
}

function renderer(engine: Liquid, field: Field, templates: Template[]): (data: LetterData) => string {
  const program = compileProgram(engine, templates);
  if (!program) return (data) => guard(field, () => renderByLiquid(engine, templates, data));
  const fill = filler(program);
  return (data) =>
    guard(field, () => {
      const values = programValues(engine, program, data);
      return fill(engine === htmlEngine ? htmlValues(program, values) : values);
    });
}

const htmlValues = (program: Program, values: string[]) =>
  values.map((value, i) => (program.isHtml[i] ? value : escapeHtml(value)));

function guard<T>(field: Field, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof Error) throw invalid(field, describe(error));
    throw error;
  }
}

/** Most subjects contain none of these; testing for them is cheaper than replacing. */
const GAPS = /[^\S ]|\p{Cc}| {2}/u;

/** A header is one line, whatever the values contain. */
const singleLine = (text: string) =>
  GAPS.test(text) ? text.replace(/[\s\p{Cc}]+/gu, (gap) => (gap === ' ' ? gap : ' ')).trim() : text.trim();

/** @param room how much longer than a user's text it may be, with what only the service itself writes */
function parse(engine: Liquid, field: Field, source: string, errors: FieldProblem[], room: number): Template[] {
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
    variableProblems(templates, room > 0).forEach(report);
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

function variableProblems(templates: Template[], own: boolean): CodedProblem[] {
  const { global, made, read } = variablesOf(templates);
  const problems = new Map<string, CodedProblem>();
  // The position of each is searched for from the template's beginning, so only as many are reported as the caller
  // shows.
  const report = ({ name, token }: Named, known?: readonly string[]) => {
    if (problems.has(name) || problems.size > TOLD_ERRORS) return;
    const named = { ...placeOf(token), name };
    problems.set(name, known ? problem('unknown_variable', { ...named, known }) : problem('not_assignable', named));
  };
  for (const variable of global)
    if (!VARIABLES.has(variable.name) && !(own && variable.name === 'footerText')) report(variable, [...VARIABLES]);
  for (const variable of made) if (ROOTS.has(variable.name)) report(variable);
  for (const variable of read)
    if (/^forloop\b/.test(variable.name) && !LOOP_VARIABLES.includes(variable.name)) report(variable, LOOP_VARIABLES);
  return [...problems.values()];
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

function placeOf(token: Token): { line: number; column: number } {
  const [line, column] = token.getPosition() as [number, number];
  return { line, column };
}
