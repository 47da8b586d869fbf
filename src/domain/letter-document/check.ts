import type { Node } from 'prosemirror-model';
import { TOLD_ERRORS } from '../errors';
import { at, type FieldProblem, problem } from '../problems';
import { type OwnFields, similarVariable } from '../template-names';
import { blockProblem } from './check-block';
import { DOCUMENT_BLOCKS, DOCUMENT_BYTES, DOCUMENT_DEPTH, PREHEADER_MAX } from './limits';
import { DOCUMENT_VERSION, type LetterDocument, letterSchema } from './schema';
import { variablesInLink } from './links';
import { NOT_BLOCKS } from './check-block';
import { isRecord } from './is-record';
import type { SocialLink } from './social';

export type CheckedDocument =
  { ok: true; document: LetterDocument; doc: Node } | { ok: false; errors: readonly FieldProblem[] };

const FIELD = 'document';
/** Values of JSON in a document: more are no letter, whatever they are. */
const VALUES = 60_000;

/**
 * Whether an input is a document, as far as this can be said without its HTML: all that is wrong with it, by the block in
 * which it is. What comes back has only what the schema knows. Work is bounded before anything is looked at twice.
 * @param fields the owner's fields of clients, which variables may name
 */
export function checkDocument(input: unknown, fields: OwnFields): CheckedDocument {
  const wrong = (...errors: readonly FieldProblem[]): CheckedDocument => ({ ok: false, errors });
  const bound = exceeded(input);
  if (bound) return wrong(...at(FIELD, bound));
  if (!isRecord(input) || !isRecord(input.doc) || !Object.keys(input).every((key) => KEYS.has(key)))
    return wrong(...at(FIELD, problem('document', { fault: 'shape' })));
  if (input.version !== DOCUMENT_VERSION)
    return wrong(...at(`${FIELD}.version`, problem('document', { fault: 'version' })));
  const { preheader = '' } = input;
  if (typeof preheader !== 'string')
    return wrong(...at(`${FIELD}.preheader`, problem('wrong_type', { wanted: 'string' })));
  if (preheader.length > PREHEADER_MAX)
    return wrong(...at(`${FIELD}.preheader`, problem('too_long', { max: PREHEADER_MAX })));
  const doc = readDoc(input.doc);
  if (!('type' in doc)) return wrong(...doc.errors);
  const errors = unknownVariables(doc, fields);
  if (errors.length > 0) return wrong(...errors);
  const json = doc.toJSON() as Record<string, unknown>;
  return { ok: true, document: { version: DOCUMENT_VERSION, preheader, doc: json }, doc };
}

const KEYS = new Set(['version', 'preheader', 'doc']);

/** The bound that an input of any shape exceeds. Goes through it once, without recursion. */
function exceeded(input: unknown) {
  const left: { value: unknown; depth: number }[] = [{ value: input, depth: 0 }];
  let [values, blocks, characters] = [0, 0, 0];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, depth } = next;
    if (++values > VALUES) return problem('document', { fault: 'bytes', max: DOCUMENT_BYTES / 1024 });
    if (typeof value === 'string') characters += value.length;
    if (characters > DOCUMENT_BYTES) return problem('document', { fault: 'bytes', max: DOCUMENT_BYTES / 1024 });
    if (typeof value !== 'object' || value === null) continue;
    // A node is within a list within a node; marks and attributes are a little deeper.
    if (depth > 2 * DOCUMENT_DEPTH + 4) return problem('document', { fault: 'depth', max: DOCUMENT_DEPTH });
    if (isRecord(value) && typeof value.type === 'string' && !NOT_BLOCKS.has(value.type)) blocks++;
    if (blocks > DOCUMENT_BLOCKS) return problem('document', { fault: 'blocks', max: DOCUMENT_BLOCKS });
    for (const key of Object.keys(value)) {
      characters += key.length;
      left.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 });
    }
  }
  return null;
}

/** The document's tree, or what is wrong in which block. */
function readDoc(json: Record<string, unknown>): Node | { errors: readonly FieldProblem[] } {
  const blocks = Array.isArray(json.content) ? (json.content as unknown[]) : [];
  if (json.type !== 'doc' || blocks.length === 0) return { errors: at(FIELD, problem('document', { fault: 'shape' })) };
  const errors = blocks.flatMap((block, i) => at(fieldOf(i), blockProblem(block, i + 1)));
  if (errors.length > 0) return { errors };
  for (const [i, block] of blocks.entries())
    if (!fits(block)) return { errors: at(fieldOf(i), problem('document_block', { block: i + 1, fault: 'content' })) };
  const doc = letterSchema.nodeFromJSON({ type: 'doc', content: blocks });
  try {
    doc.check();
    return doc;
  } catch {
    return { errors: at(FIELD, problem('document', { fault: 'shape' })) };
  }
}

/** ProseMirror's own rules: what stands where, and attributes. */
function fits(block: unknown): boolean {
  try {
    const node = letterSchema.nodeFromJSON(block);
    node.check();
    return node.type.isInGroup('block');
  } catch {
    return false;
  }
}

const fieldOf = (i: number) => `${FIELD}.doc.content.${i}`;

function unknownVariables(doc: Node, fields: OwnFields): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [i, block] of doc.children.entries()) {
    const names = new Set(namesIn(block));
    block.descendants((node) => namesIn(node).forEach((name) => names.add(name)));
    for (const name of names) {
      const found = similarVariable(name, fields);
      if (found) problems.push(...at(fieldOf(i), problem('document_variable', { block: i + 1, name, ...found })));
      // What a name is like takes a while to find out.
      if (problems.length > TOLD_ERRORS) return problems;
    }
  }
  return problems;
}

/** The variables that a node itself names. */
function namesIn({ type, attrs, marks }: Node): string[] {
  const links = marks.map((mark) => mark.attrs.href as unknown);
  const social = type.name === 'social' ? (attrs.links as SocialLink[]).map(({ url }) => url) : [];
  const hrefs = [...links, attrs.href as unknown, ...social].filter((href) => typeof href === 'string');
  return [...(type.name === 'variable' ? [String(attrs.name)] : []), ...hrefs.flatMap(variablesInLink)];
}
