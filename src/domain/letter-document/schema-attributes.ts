import type { Attrs } from 'prosemirror-model';

/** What the rules need of an element of the browser. */
export interface Element {
  getAttribute(name: string): string | null;
  closest?(selector: string): Element | null;
  textContent: string | null;
  style?: { fontWeight: string; textAlign: string };
}

export const attribute = (dom: Element, name: string): string => dom.getAttribute(name) ?? '';

/** Text in a block of its own: direction by its first letters, so that Arabic and Hebrew stand as they should. */
export const blockAttributes = (attrs: Attrs) => ({
  dir: 'auto',
  ...(attrs.align !== 'start' && { 'data-align': String(attrs.align), style: `text-align:${String(attrs.align)}` }),
});

/** Rules for attributes of the schema: each throws what ProseMirror's `check` passes on, naming the attribute. */
const ALIGNED = new Set(['start', 'center', 'end']);

function wrong(name: string): never {
  throw new RangeError(`${name}: not allowed`);
}

export function align(value: unknown): void {
  if (typeof value !== 'string' || !ALIGNED.has(value)) wrong('align');
}

export function text(name: string, value: unknown, allowed: (value: string) => boolean): void {
  if (typeof value !== 'string' || !allowed(value)) wrong(name);
}

export const oneOfNumbers = (numbers: readonly number[]) => (value: unknown) => {
  if (!numbers.includes(value as number)) wrong('level');
};

export const within = (name: string, { min, max }: { min: number; max: number }) => {
  return (value: unknown): void => {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) wrong(name);
  };
};

/** How an element of a page, ours or another's, is aligned. */
export function readAlign(dom: Element, otherwise = 'start'): string {
  const named = attribute(dom, 'data-align') || dom.style?.textAlign || attribute(dom, 'align');
  if (ALIGNED.has(named)) return named;
  if (named === 'right') return 'end';
  return named === 'left' ? 'start' : otherwise;
}
