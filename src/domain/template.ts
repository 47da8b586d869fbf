import { LiquidError, type Liquid, type Template } from 'liquidjs';
import { ValidationError, type FieldError } from './errors';
import { htmlToText, isPlainValue, textTemplate } from './html-text';
import { createEngine, escapeHtml, renderByLiquid, TEMPLATE_FILTERS, TEMPLATE_TAGS, type LetterData } from './liquid';
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
  { name: 'date', description: 'The date of the letter; for example {{ date | date: "%d.%m.%Y" }}' },
];

const MAX_LENGTH = { subject: 2_000, body: 200_000, bodyText: 200_000 };
/** Of one field: what is said about variables costs more than in proportion. */
const MAX_TAGS = 1_000;
const MAX_TEXT_TEMPLATES = 32;

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

export type CompiledContent = { ok: true; content: ContentTemplate } | { ok: false; errors: FieldError[] };

type Field = keyof ContentSource;

const VARIABLES = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name));
const ROOTS = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name.split('.')[0]!));
/** All that `forloop` gives; as an object of Liquid's own it would also give what every object has. */
const LOOP_VARIABLES = 'first last index index0 rindex rindex0 length'.split(' ').map((name) => `forloop.${name}`);
const htmlEngine = createEngine('html');
const textEngine = createEngine('text');

/** Made-up clients: every template must render for these before it is accepted. */
const SAMPLES: LetterData[] = ['', 'Ann <b> & "Bob" O\'Neil'].map((text) => ({
  client: { fullName: text, email: 'ann@example.org', comment: text },
  mailing: { name: text },
  sender: { name: text, email: 'sender@example.org' },
  date: '2027-03-31T09:00:00Z',
}));

/**
 * Compiles a message's templates, or says all that is wrong with them: where, and for an unknown variable or filter its name
 * and those that exist. Liquid without files, network, clock and randomness; HTML output is always escaped.
 */
export function compileContent(source: ContentSource): CompiledContent {
  const errors: FieldError[] = [];
  const subject = parse(textEngine, 'subject', source.subject, errors);
  const body = parse(htmlEngine, 'body', source.body, errors);
  const bodyText = typeof source.bodyText === 'string' ? parse(textEngine, 'bodyText', source.bodyText, errors) : null;
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

/** The HTML part, and the text part made from it: from the template where that is exactly the same, else from each letter. */
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
    const html = fill(htmlValues(program, values));
    const text = values.every((value) => value === '' || isPlainValue(value)) ? findText(values) : null;
    return { html, text: text ? text(values) : htmlToText(html) };
  };
}

/** A program's text template for these values; one for each set of values that are empty, as these leave no trace. */
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
  return (data) => {
    const values = guard(field, () => programValues(engine, program, data));
    return fill(engine === htmlEngine ? htmlValues(program, values) : values);
  };
}

const htmlValues = (program: Program, values: string[]) =>
  values.map((value, i) => (program.isHtml[i] ? value : escapeHtml(value)));

function guard<T>(field: Field, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof Error) throw new ValidationError([{ field, message: describe(error) }]);
    throw error;
  }
}

/** A header takes one line, whatever the values hold. */
const singleLine = (text: string) => text.replace(/[\s\p{Cc}]+/gu, (gap) => (gap === ' ' ? gap : ' ')).trim();

function parse(engine: Liquid, field: Field, source: string, errors: FieldError[]): Template[] {
  const report = (message: string) => void errors.push({ field, message });
  if (source.length > MAX_LENGTH[field]) {
    report(`is longer than ${MAX_LENGTH[field]} characters`);
    return [];
  }
  if ((source.match(/\{[{%]/g)?.length ?? 0) > MAX_TAGS) {
    report(`has more than ${MAX_TAGS} outputs and tags`);
    return [];
  }
  try {
    const templates = engine.parse(source);
    for (const problem of variableProblems(engine, templates)) report(problem);
    return templates;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    report(describe(error));
    return [];
  }
}

function variableProblems(engine: Liquid, templates: Template[]): string[] {
  const { globals, locals, variables } = engine.analyzeSync(templates, { partials: false });
  const problems = new Map<string, string>();
  const at = (location: { row: number; col: number }) => `line ${location.row}, column ${location.col}: `;
  for (const variable of Object.values(globals).flat()) {
    const name = String(variable);
    if (VARIABLES.has(name) || problems.has(name)) continue;
    const known = [...VARIABLES].join(', ');
    problems.set(name, `${at(variable.location)}unknown variable "${name}"; known are ${known}`);
  }
  for (const variable of Object.values(locals).flat()) {
    const name = String(variable);
    if (ROOTS.has(name)) problems.set(name, `${at(variable.location)}"${name}" cannot be assigned to`);
  }
  for (const variable of Object.values(variables).flat()) {
    const name = String(variable);
    if (!/^forloop\b/.test(name) || LOOP_VARIABLES.includes(name)) continue;
    problems.set(name, `${at(variable.location)}unknown variable "${name}"; known are ${LOOP_VARIABLES.join(', ')}`);
  }
  return [...problems.values()];
}

/** One line: where, and what is wrong; the names to choose from where a name is unknown. */
function describe(error: Error): string {
  const message = (LiquidError.is(error) ? (error.originalError?.message ?? error.message) : error.message)
    .replace(/, line:\d+, col:\d+[^]*$/, '')
    .replace(
      /^undefined filter: (.*)$/,
      (_, name) => `unknown filter "${name}"; known are ${TEMPLATE_FILTERS.join(', ')}`,
    )
    .replace(/^tag "(.*)" not found$/, (_, name) => `unknown tag "${name}"; known are ${TEMPLATE_TAGS.join(', ')}`);
  if (!LiquidError.is(error)) return message;
  const [row, column] = error.token.getPosition();
  return `line ${row}, column ${column}: ${message}`;
}
