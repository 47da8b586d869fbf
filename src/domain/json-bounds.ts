/**
 * What a JSON text may contain, whoever sends it. `values` are counted by commas and opening brackets, so that the ids
 * of a large list fit and millions of anything don't; names are counted again where they repeat. `digits` are those of
 * one number, which cost more than other characters.
 */
export const JSON_BOUNDS = { depth: 16, objects: 1_000, names: 500, values: 150_000, digits: 100 } as const;

export type JsonBounds = Record<keyof typeof JSON_BOUNDS, number>;

/** The same for a letter of blocks, whose limits are in `letter-document/limits.ts`. */
export const DOCUMENT_JSON: JsonBounds = { ...JSON_BOUNDS, depth: 40, objects: 15_000, names: 20_000, values: 60_000 };

const [QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
];

/**
 * Which of its bounds a JSON text (UTF-8) exceeds, or null. Scans each byte once, before the text is parsed, so that
 * parsing can only cost so much. Does not check whether it is valid JSON.
 */
export function exceededBound(text: Buffer, bounds: JsonBounds = JSON_BOUNDS): keyof typeof JSON_BOUNDS | null {
  let [depth, objects, names, values, digits] = [0, 0, 0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    // The digits, the point and the minus. Between two numbers stands a comma, a quotation mark or a blank.
    if (byte > COMMA && byte < COLON) {
      if (++digits > bounds.digits) return 'digits';
      continue;
    }
    if (byte <= COMMA) digits = 0;
    if (byte === QUOTE) at = endOfString(text, at + 1);
    else if (byte === COMMA) values++;
    else if (byte === COLON) names++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      objects++;
      values++;
      depth++;
    }
    if (depth > bounds.depth) return 'depth';
    if (objects > bounds.objects) return 'objects';
    if (names > bounds.names) return 'names';
    if (values > bounds.values) return 'values';
  }
  return null;
}

/** The place of the quotation mark that ends the string, or the text's end. */
function endOfString(text: Buffer, from: number): number {
  for (let at = text.indexOf(QUOTE, from); at >= 0; at = text.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text[at - slashes - 1] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}
