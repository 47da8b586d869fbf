import { Context, defaultOperators, Liquid, type Emitter, type FilterImplOptions, type Template } from 'liquidjs';
import { formatDate } from './date-format';

/** What a letter's template may use; also the scope Liquid renders with. */
export interface LetterData {
  client: { fullName: string; email: string; comment: string };
  mailing: { name: string };
  sender: { name: string; email: string };
  /** The letter's date, ISO 8601: a calendar day, or an instant with offset. */
  date: string;
  /** IANA zone in which the `date` filter shows instants; UTC if absent. */
  timeZone?: string;
}

/** One letter may take this much: a template that needs more is broken, whoever wrote it. */
const LIMITS = { steps: 20_000, memory: 4_000_000, output: 1_000_000 };

const TAGS = new Set('assign capture case comment if unless for break continue echo raw #'.split(' '));
const FILTERS = new Set(
  (
    'abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape escape_once first floor ' +
    'join last lstrip minus modulo newline_to_br normalize_whitespace plus prepend remove remove_first remove_last replace ' +
    'replace_first replace_last reverse round rstrip size slice sort sort_natural split strip strip_html strip_newlines times ' +
    'truncate truncatewords uniq upcase uri_escape url_encode'
  ).split(' '),
);

/** The names of the tags and filters that templates may use, for error messages and the editor. */
export const TEMPLATE_TAGS: readonly string[] = [...TAGS].sort();
export const TEMPLATE_FILTERS: readonly string[] = [...FILTERS].sort();

type FilterThis = { context: Context };

/** What a value looks like in the output: nothing for nil, the items one after another for an array. */
export function outputText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(outputText).join('');
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- numbers, booleans, and Liquid's own drops
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

/** `date: format`: the letter's zone instead of the process', and "now" is the letter's date, so that a retry is the same. */
function dateFilter(this: FilterThis, value: unknown, format: unknown = '%Y-%m-%d', zone?: unknown): unknown {
  const letter = this.context.environments as unknown as LetterData;
  const iso = value === 'now' || value === 'today' ? letter.date : outputText(value);
  const timeZone = typeof zone === 'string' ? zone : (letter.timeZone ?? 'UTC');
  return formatDate(iso, charge(this, outputText(format)), timeZone) ?? value;
}

function textOutput(this: unknown, value: unknown): string {
  return charge(this as FilterThis, outputText(value));
}

function htmlOutput(this: unknown, value: unknown): string {
  return escapeHtml(charge(this as FilterThis, outputText(value)));
}

/** `contains` reads its whole left side: that is counted, so that a loop can not do it without end. */
function contains(left: unknown, right: unknown, context: Context): boolean {
  if (typeof left === 'string' || Array.isArray(left)) context.memoryLimit.use(left.length);
  return (defaultOperators.contains as typeof contains)(left, right, context);
}

const textLength = (value: unknown) => outputText(value).length;
const sorting = (value: unknown) =>
  textLength(value) * (Array.isArray(value) ? Math.ceil(Math.log2(value.length + 1)) : 1);

/** What some filters cost, in characters that are read: Liquid counts nothing for these, or only the items. */
const COSTS = { sort: sorting, sort_natural: sorting, uri_escape: textLength, url_encode: textLength };

/** Collects output and refuses to grow without bounds. */
class BoundedEmitter implements Emitter {
  buffer = '';
  write(value: unknown): void {
    this.buffer += outputText(value);
    if (this.buffer.length > LIMITS.output) throw new Error('the output is too long');
  }
}

/**
 * A Liquid without files, network, clock and randomness, with only the tags and filters above and every loop, allocation
 * and output bounded by counts, not by time, so that a letter renders the same on a slow machine. With `html`, each output is
 * HTML-escaped exactly once and no filter can prevent it; `escape` and `newline_to_br` as a last filter count as that once.
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
    operators: { ...defaultOperators, contains },
    outputEscape: kind === 'html' ? htmlOutput : textOutput,
  });
  for (const tag of Object.keys(liquid.tags)) if (!TAGS.has(tag)) delete liquid.tags[tag];
  for (const filter of Object.keys(liquid.filters)) if (!FILTERS.has(filter)) liquid.unregisterFilter(filter);
  for (const [name, cost] of Object.entries(COSTS)) {
    const filter = liquid.filters[name] as Extract<FilterImplOptions, CallableFunction>;
    liquid.registerFilter(name, function (value: unknown, ...args: unknown[]) {
      this.context.memoryLimit.use(cost(value));
      return filter.call(this, value, ...args) as unknown;
    });
  }
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
  const render = liquid.renderer.renderTemplates.bind(liquid.renderer);
  liquid.renderer.renderTemplates = (templates, context, emitter = new BoundedEmitter()) =>
    render(templates, context, emitter);
  return liquid;
}

/** A fresh scope for one letter: its limits start at zero. */
export function createContext(liquid: Liquid, data: LetterData): Context {
  const context = new Context(data, liquid.options, { sync: true }, { liquid });
  let steps = 0;
  context.renderLimit = {
    use: () => {},
    check: () => {
      if (++steps > LIMITS.steps) throw new Error('the template takes too many steps');
    },
  } as unknown as Context['renderLimit'];
  return context;
}

/** Renders by Liquid itself: any template, not the fastest. @throws LiquidError */
export function renderByLiquid(liquid: Liquid, templates: Template[], data: LetterData): string {
  return String(liquid.renderSync(templates, createContext(liquid, data)));
}
