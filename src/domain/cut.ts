/** The beginning of a text, at most so long, and never with half a character at its end. */
export const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
