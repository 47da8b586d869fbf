/** A variable with no more than a fallback, as people write it and as templates have it. */
const CHIP = /\{\{\s*([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)?)\s*(?:\|\s*default:\s*["“]([^"”{}]{0,200})["”]\s*)?\}\}/g;

export interface Chip {
  name: string;
  fallback: string;
}

/** A text in parts: what is written, and the variables in it. What else stands between braces is text. */
export function chipsIn(text: string, isKnown: (name: string) => boolean = () => true): (string | Chip)[] {
  const parts: (string | Chip)[] = [];
  let at = 0;
  for (const { 0: all, 1: name = '', 2: fallback = '', index } of text.matchAll(CHIP)) {
    if (!isKnown(name)) continue;
    if (index > at) parts.push(text.slice(at, index));
    parts.push({ name, fallback });
    at = index + all.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}
