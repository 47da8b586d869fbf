import { TypeGuards, Value, Variable, type Template, type Token } from 'liquidjs';
import { operandsOf } from './template-cost';
import { TemplateLimit } from './template-limit';

/** A name in a template, and the token it stands in. */
export interface Named {
  name: string;
  token: Token;
}

export interface Variables {
  /** All names that are read. */
  read: Named[];
  /** Of these, the names that no tag of the template defines. */
  global: Named[];
  /** The names that tags define. */
  made: Named[];
}

type Segment = string | number | Variable;

/** Rendering nests one call for each level, and one for each filter of an output. */
const MAX_LEVELS = 50;
const MAX_FILTERS = 50;
/** A name is analysed again for each name in its brackets. */
const MAX_BRACKETS = 5;

/**
 * The variables of a template. liquidjs's own analysis says the same, but looks for the line of each of them from the
 * template's beginning, which costs the square of a template's length.
 * @throws TemplateLimit if tags, filters or brackets are nested deeper than can be rendered everywhere
 */
export function variablesOf(templates: Template[]): Variables {
  const found: Variables = { read: [], global: [], made: [] };
  visit(templates, [new Set<string>()], found);
  return found;
}

function visit(templates: Template[], scopes: Set<string>[], found: Variables, level = 1): void {
  if (level > MAX_LEVELS) throw new TemplateLimit('levels', MAX_LEVELS);
  for (const template of templates) {
    for (const argument of template.arguments?.() ?? [])
      if (argument instanceof Value && argument.filters.length > MAX_FILTERS)
        throw new TemplateLimit('filters', MAX_FILTERS);
    for (const token of operandsOf(template)) {
      if (!TypeGuards.isPropertyAccessToken(token)) continue;
      const [root, ...more] = segmentsOf(token);
      if (root === undefined) continue;
      const named = { name: String(new Variable([root, ...more], { row: 0, col: 0 })), token };
      found.read.push(named);
      if (typeof root === 'string' && !scopes.some((names) => names.has(root))) found.global.push(named);
    }
    for (const identifier of template.localScope?.() ?? []) {
      scopes[0]!.add(identifier.content);
      found.made.push({ name: identifier.content, token: identifier });
    }
    const inner = template.blockScope ? [...scopes, new Set(template.blockScope())] : scopes;
    visit(childrenOf(template), inner, found, level + 1);
  }
}

/** Without partials, a tag has its children at hand: its generator only collects them. */
function childrenOf(template: Template): Template[] {
  const { done, value } = template.children?.(false, true).next() ?? { done: true, value: [] };
  return done === true ? value : [];
}

function segmentsOf(token: Token, level = 1): Segment[] {
  if (level > MAX_BRACKETS) throw new TemplateLimit('brackets', MAX_BRACKETS);
  if (!TypeGuards.isPropertyAccessToken(token)) return [];
  return token.props.flatMap((prop, i): Segment[] => {
    if (TypeGuards.isPropertyAccessToken(prop)) {
      const segments = segmentsOf(prop, level + 1);
      return i === 0 ? segments : [new Variable(segments, { row: 0, col: 0 })];
    }
    return 'content' in prop ? [(prop as Token & { content: string | number }).content] : [];
  });
}
