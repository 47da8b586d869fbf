/** A request for one page of a list: keyset paging, newest first unless the list says otherwise. */
export interface PageRequest {
  limit: number;
  cursor?: string;
  withTotal?: boolean;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
  total?: number;
}

/** An opaque cursor holding the sort key of the last row of a page. */
export function encodeCursor(key: (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The key a cursor holds; null for a text that is not a cursor with `length` parts. */
export function decodeCursor(cursor: string, length: number): (string | number)[] | null {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const good =
      Array.isArray(key) && key.length === length && key.every((k) => typeof k === 'string' || typeof k === 'number');
    return good ? key : null;
  } catch {
    return null;
  }
}
