/**
 * The tags of a record such as `v=DKIM1; k=rsa; p=…` (RFC 6376 3.2), by their names in lower case; the first of two
 * counts. What is no tag is passed over.
 */
export function recordTags(record: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const part of record.split(';')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    if (name !== '' && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}
