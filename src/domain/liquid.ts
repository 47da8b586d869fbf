import { Context, defaultOperators, Liquid, type Emitter, type FilterImplOptions, type Template } from 'liquidjs';
import type { FieldValues } from './client-fields';
import { formatDate } from './date-format';
import { costOf } from './template-cost';
import { TemplateLimit } from './template-limit';

/** What a letter's template may use; also the scope Liquid renders with. */
export interface LetterData {
  /** What every client has, and values of the fields that the owner defined, by key. */
  client: { fullName: string; email: string; comment: string } & FieldValues;
  mailing: { name: string };
  sender: { name: string; email: string };
  /** The letter's date, ISO 8601: a calendar day, or an instant with offset. */
  date: string;
  /** Where this client unsubscribes. */
  unsubscribeUrl?: string;
  /** The sender's postal address, in one line. */
  senderAddress?: string;
  /** Why people get the letter; for the standard footer, not for templates. */
  footerText?: string;
  /** IANA zone in which the `date` filter shows instants; UTC if absent. */
  timeZone?: string;
}

/**
 * What rendering one letter may take; a template that needs more is refused. A step is a node, an operand or a filter
 * (see `costOf`) and takes one or two microseconds; characters that filters and operators read or write take some
 * nanoseconds each.
 */
export const LIMITS = { steps: 20_000, memory: 2_000_000, output: 700_000 };

const TAGS = new Set('assign capture case comment if unless for break continue echo raw #'.split(' '));
const FILTERS = new Set(
  (
    'abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape ' +
    'escape_once first floor join last lstrip minus modulo newline_to_br normalize_whitespace plus prepend ' +
    'remove remove_first remove_last replace replace_first replace_last reverse round rstrip size slice sort ' +
    'sort_natural split strip strip_html strip_newlines times truncate truncatewords uniq upcase uri_escape ' +
    'url_encode'
  ).split(' '),
);

/** What a step takes from the characters' limit, so that a letter can't use up both limits. */
const STEP = 80;

/** The names of the tags and filters that templates may use, for error messages and the editor. */
export const TEMPLATE_TAGS: readonly string[] = [...TAGS].sort();
export const TEMPLATE_FILTERS: readonly string[] = [...FILTERS].sort();

type FilterThis = { context: Context };

/** What a value looks like in the output: nothing for nil, the items one after another for an array. */
export function outputText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(outputText).join('');
  // oxlint-disable-next-line typescript/no-base-to-string -- numbers, booleans, and Liquid's own drops
  return String(value);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
const CHARACTERS = Object.fromEntries(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));

/** Makes text safe between tags and inside quoted attributes of HTML. */
export const escapeHtml = (text: string): string =>
  /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => ENTITIES[character]!) : text;

const escapeHtmlOnce = (text: string) =>
  escapeHtml(text.replace(/&(amp|lt|gt|#34|#39);/g, (entity) => CHARACTERS[entity]!));

function charge(filter: FilterThis, text: string): string {
  filter.context.memoryLimit.use(text.length);
  return text;
}

/**
 * `date: format`: the letter's zone instead of the process', and "now" is the letter's date, so that a retry is the
 * same.
 */
function dateFilter(this: FilterThis, value: unknown, format: unknown = '%Y-%m-%d', zone?: unknown): unknown {
  const letter = this.context.environments as unknown as LetterData;
  const iso = value === 'now' || value === 'today' ? letter.date : outputText(value);
  const timeZone = typeof zone === 'string' ? zone : (letter.timeZone ?? 'UTC');
  const pattern = outputText(format);
  this.context.memoryLimit.use(DATE.date + DATE.format * pattern.length);
  return formatDate(iso, pattern, timeZone) ?? value;
}

function textOutput(this: unknown, value: unknown): string {
  return charge(this as FilterThis, outputText(value));
}

function htmlOutput(this: unknown, value: unknown): string {
  return escapeHtml(charge(this as FilterThis, outputText(value)));
}

type Handler = (left: unknown, right: unknown, context: Context) => unknown;

/** An operator that reads its operands: the characters count, so that a loop can't repeat it without end. */
function reading(name: string): [string, (typeof defaultOperators)[string]] {
  const handler = defaultOperators[name] as Handler;
  const counting: Handler = (left, right, context) => {
    use(context, left);
    use(context, right);
    return handler(left, right, context);
  };
  return [name, counting as (typeof defaultOperators)[string]];
}

const operators = {
  ...defaultOperators,
  ...Object.fromEntries(['==', '!=', '>', '<', '>=', '<=', 'contains'].map(reading)),
};

/** What an item of a list counts before the length of its text is known. */
const ITEM = 10;

/** Charges for reading a value `times` times. */
function use({ memoryLimit }: Context, value: unknown, times = 1): void {
  if (Array.isArray(value)) memoryLimit.use(value.length * ITEM);
  memoryLimit.use(times * (typeof value === 'string' || Array.isArray(value) ? outputText(value).length : 1));
}

/**
 * Searching for a text from the end compares it at every position; eight characters compared so cost as much as one
 * read otherwise.
 */
const searching = (_: unknown, wanted: unknown) => 1 + Math.ceil(outputText(wanted).length / 8);
const sorting = (value: unknown) => (Array.isArray(value) ? Math.ceil(Math.log2(value.length + 2)) : 1);
/** For filters that write, or work, more than reading each character once: the factor for each character. */
const GROWTH: Record<string, number | ((value: unknown, wanted: unknown) => number)> = {
  sort: sorting,
  sort_natural: sorting,
  replace_last: searching,
  remove_last: searching,
  uri_escape: 9,
  url_encode: 9,
  newline_to_br: 7,
  escape: 5,
  escape_once: 6,
  upcase: 3,
  truncatewords: 4,
  split: 4,
  normalize_whitespace: 3,
  strip_newlines: 3,
  strip_html: 3,
  replace: 2,
  remove: 2,
};
/** The cost of the date filter: for each conversion of the format, and for a date other than the last one. */
const DATE = { format: 200, date: 2_000 };

/** Counts all input of a filter. Liquid counts less: for some filters nothing, for lists only the number of items. */
function charged(name: string, filter: FilterImplOptions): FilterImplOptions {
  const handler = typeof filter === 'function' ? filter : filter.handler;
  const growth = GROWTH[name] ?? 1;
  const counting: typeof handler = function (value: unknown, ...args: unknown[]) {
    use(this.context, value, typeof growth === 'number' ? growth : growth(value, args[0]));
    for (const arg of args) use(this.context, arg);
    return handler.call(this, value, ...args) as unknown;
  };
  return typeof filter === 'function' ? counting : { ...filter, handler: counting };
}

/** Collects output and refuses to grow without bounds. */
class BoundedEmitter implements Emitter {
  buffer = '';
  write(value: unknown): void {
    this.buffer += outputText(value);
    if (this.buffer.length > LIMITS.output) throw new TemplateLimit('output');
  }
}

/**
 * A Liquid without files, network, clock and randomness, with only the tags and filters above and every loop,
 * allocation and output bounded by counts, not by time, so that a letter renders the same on a slow machine. With
 * `html`, each output is HTML-escaped exactly once and no filter can prevent it; `escape` and `newline_to_br` as a last
 * filter count as that once.
 */
export function createEngine(kind: 'html' | 'text'): Liquid {
  const liquid = new Liquid({
    templates: {},
    strictFilters: true,
    ownPropertyOnly: true,
    timezoneOffset: 0,
    locale: 'en-US',
    parseLimit: 1_000_000,
    memoryLimit: LIMITS.memory,
    operators,
    outputEscape: kind === 'html' ? htmlOutput : textOutput,
  });
  for (const tag of Object.keys(liquid.tags)) if (!TAGS.has(tag)) delete liquid.tags[tag];
  for (const filter of Object.keys(liquid.filters)) if (!FILTERS.has(filter)) liquid.unregisterFilter(filter);
  liquid.registerFilter('date', dateFilter as FilterImplOptions);
  if (kind === 'html') {
    const html = (convert: (text: string) => string) => ({
      raw: true,
      handler(this: FilterThis, value: unknown) {
        return convert(charge(this, outputText(value)));
      },
    });
    liquid.registerFilter('escape', html(escapeHtml));
    liquid.registerFilter('escape_once', html(escapeHtmlOnce));
    liquid.registerFilter(
      'newline_to_br',
      html((text) => escapeHtmlOnce(text).replace(/\r\n|\r|\n/g, '<br />\n')),
    );
  }
  for (const [name, filter] of Object.entries(liquid.filters)) liquid.registerFilter(name, charged(name, filter));
  const render = liquid.renderer.renderTemplates.bind(liquid.renderer);
  liquid.renderer.renderTemplates = (templates, context, emitter = new BoundedEmitter()) => {
    context.renderLimit.use(costOf(templates));
    return render(templates, context, emitter);
  };
  return liquid;
}

/** Replaces Liquid's own limit, which is one of time. */
class Steps {
  private left = LIMITS.steps;

  constructor(private readonly memoryLimit: Context['memoryLimit']) {}

  use(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new TemplateLimit('steps');
    this.memoryLimit.use(steps * STEP);
  }

  check(): void {}
}

/** A fresh scope for one letter: its limits start at zero. */
export function createContext(liquid: Liquid, data: LetterData): Context {
  const context = new Context(data, liquid.options, { sync: true }, { liquid });
  context.renderLimit = new Steps(context.memoryLimit) as unknown as Context['renderLimit'];
  return context;
}

/** Renders any template by Liquid itself: the slower way. @throws LiquidError */
export function renderByLiquid(liquid: Liquid, templates: Template[], data: LetterData): string {
  return String(liquid.renderSync(templates, createContext(liquid, data)));
}
