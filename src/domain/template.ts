import { hash } from 'node:crypto';
import type { Liquid, Template } from 'liquidjs';
import { ValidationError } from './errors';
import { type FooterParts, withHtmlFooter, withTextFooter } from './footer';
import { htmlToText, isPlainValue, textTemplate } from './html-text';
import { createEngine, escapeHtml, renderByLiquid, type LetterData } from './liquid';
import type { Language } from './language';
import { at, type FieldProblem, problem } from './problems';
import { type OwnFields, ownFieldsOf } from './template-names';
import { guard, type Part, parsePart } from './template-parse';
import { compileProgram, filler, programValues, withoutEmpty, type Filler, type Program } from './template-program';

export { TEMPLATE_FILTERS, TEMPLATE_TAGS, type LetterData } from './liquid';
export { type OwnFields, TEMPLATE_VARIABLES } from './template-names';

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
  /** Whether it shows fields that the owner of its clients defined; if not, a letter's data needs none. */
  readonly readsFields?: boolean;
  /** @throws ValidationError naming the field, if this data takes the template over its limits */
  render(data: LetterData): RenderedContent;
}

export type CompiledContent =
  /** `plain`: without the standard footer; the same as `content` where none was added. */
  { ok: true; content: ContentTemplate; plain: ContentTemplate } | { ok: false; errors: readonly FieldProblem[] };

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
 * @param fields what `client.` may be followed by, beside what every client has
 */
export function compileContent(source: ContentSource, footer?: Language, fields: OwnFields = []): CompiledContent {
  const { subject, body, bodyText } = source;
  const key = hash('sha256', JSON.stringify([subject, body, bodyText ?? null, footer, fields]));
  const compiled = lastCompiled.get(key) ?? compileAnew(source, footer, fields);
  lastCompiled.delete(key);
  lastCompiled.set(key, compiled);
  if (lastCompiled.size > KEPT) lastCompiled.delete(lastCompiled.keys().next().value ?? '');
  return compiled;
}

/**
 * What was compiled last, by its digest, the oldest first. Compiling takes the time of several letters, and a form asks
 * for the same message whenever something in it changes.
 */
const lastCompiled = new Map<string, CompiledContent>();
const KEPT = 8;

function compileAnew(source: ContentSource, footer: Language | undefined, fields: OwnFields): CompiledContent {
  const compiled = compileSource(source, fields);
  if (!compiled.ok) return compiled;
  const { content } = compiled;
  return footer ? compileWithFooter(source, compiled, footer, fields) : { ok: true, content, plain: content };
}

/** The owner's fields that a message shows, by key; none where it can't be read. */
export function ownFieldsIn({ subject, body, bodyText }: ContentSource): Set<string> {
  return new Set(
    [subject, body, bodyText ?? ''].flatMap((source) => {
      try {
        return ownFieldsOf(textEngine.parse(source));
      } catch {
        return [];
      }
    }),
  );
}

/** Decides by what the letter shows, not by the names in its source: a variable may stand in a comment, or behind a condition. */
function compileWithFooter(
  source: ContentSource,
  { content: plain, letters }: Tried,
  footer: Language,
  fields: OwnFields,
): CompiledContent {
  const given = source.bodyText ?? null;
  const { html, text } = missingParts(letters, given);
  const body = html ? withHtmlFooter(source.body, footer, html) : source.body;
  const bodyText = given !== null && text ? withTextFooter(given, footer, text) : given;
  if (body === source.body && bodyText === given) return { ok: true, content: plain, plain };
  const compiled = compileSource({ ...source, body, bodyText }, fields, OWN_LENGTH);
  if (!compiled.ok) return compiled;
  const left = missingParts(compiled.letters, given);
  if (!left.html && (given === null || !left.text)) return { ok: true, content: compiled.content, plain };
  return { ok: false, errors: at(left.html ? 'body' : 'bodyText', problem('footer_hidden')) };
}

/** A template that renders for all samples, and what it made of them: rendering is what costs. */
interface Tried {
  content: ContentTemplate;
  letters: { sample: LetterData; rendered: RenderedContent }[];
}

/**
 * What a reader of the HTML, and one of the text, would not see; null where nothing is missing.
 * @param given the template of the text; without one the text is what the HTML says
 */
function missingParts(
  letters: Tried['letters'],
  given: string | null,
): { html: FooterParts | null; text: FooterParts | null } {
  const missing = (shown: (letter: RenderedContent) => string): FooterParts | null => {
    const parts = { link: false, address: false };
    for (const { sample, rendered } of letters) {
      const text = shown(rendered);
      if (!text.includes(sample.unsubscribeUrl ?? '')) parts.link = true;
      if (!text.includes(sample.senderAddress ?? '')) parts.address = true;
    }
    return parts.link || parts.address ? parts : null;
  };
  const text = missing((letter) => letter.text);
  return { html: given === null ? text : missing(({ html }) => htmlToText(html)), text };
}

function compileSource(
  source: ContentSource,
  fields: OwnFields,
  room = 0,
): ({ ok: true } & Tried) | { ok: false; errors: readonly FieldProblem[] } {
  const errors: FieldProblem[] = [];
  const parse = (engine: Liquid, field: Part, text: string) => parsePart(engine, field, text, { errors, fields, room });
  const subject = parse(textEngine, 'subject', source.subject);
  const body = parse(htmlEngine, 'body', source.body);
  const bodyText = typeof source.bodyText === 'string' ? parse(textEngine, 'bodyText', source.bodyText) : null;
  if (errors.length > 0) return { ok: false, errors };

  const keys = [subject, body, bodyText ?? []].flatMap(ownFieldsOf);
  const content = { ...createContent(subject, body, bodyText), readsFields: keys.length > 0 };
  try {
    const letters = samplesFor(keys).map((sample) => ({ sample, rendered: content.render(sample) }));
    return { ok: true, content, letters };
  } catch (error) {
    if (error instanceof ValidationError) return { ok: false, errors: error.details.errors ?? [] };
    throw error;
  }
}

/** The made-up clients, one of them with a value for each of the owner's fields. */
function samplesFor(keys: string[]): LetterData[] {
  if (keys.length === 0) return SAMPLES;
  return SAMPLES.map((sample) => {
    const { fullName } = sample.client;
    return fullName === ''
      ? sample
      : { ...sample, client: { ...Object.fromEntries(keys.map((key) => [key, fullName])), ...sample.client } };
  });
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

function renderer(engine: Liquid, field: Part, templates: Template[]): (data: LetterData) => string {
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

/** Most subjects contain none of these; testing for them is cheaper than replacing. */
const GAPS = /[^\S ]|\p{Cc}| {2}/u;

/** A header is one line, whatever the values contain. */
const singleLine = (text: string) =>
  GAPS.test(text) ? text.replace(/[\s\p{Cc}]+/gu, (gap) => (gap === ' ' ? gap : ' ')).trim() : text.trim();
