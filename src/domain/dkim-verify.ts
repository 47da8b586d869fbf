import { createHash, createPublicKey, verify } from 'node:crypto';
import { type PreparedDkim, readFields, relaxedBody } from './dkim';

/**
 * What became of a signature of ours on the way: `good`; `body`, `header`: that part was changed; `missing`: the letter
 * has none of this key.
 */
export type SignatureFate = 'good' | 'body' | 'header' | 'missing';

export interface CheckedSignature {
  selector: string;
  fate: SignatureFate;
  /** The fields that it covers. */
  covers: ReadonlySet<string>;
}

type Field = ReturnType<typeof readFields>[number];

/** So many signatures are read: others on the way add theirs. */
const SIGNATURES = 20;

/**
 * Checks a letter that came back against the keys that it was signed with (RFC 6376 6.1; relaxed/relaxed, as
 * `signLetter` signs). No DNS is asked: whether the published key is that of the private one is another question.
 * @param letter as it came, lines ended in any way
 */
export function checkSignatures(keys: readonly PreparedDkim[], letter: Buffer): CheckedSignature[] {
  const text = letter.toString('latin1').replace(/\r?\n/g, '\r\n');
  const end = text.indexOf('\r\n\r\n');
  const fields = readFields(end < 0 ? text : text.slice(0, end));
  const body = relaxedBody(end < 0 ? '' : text.slice(end + 4));
  const bodyHash = createHash('sha256').update(body, 'latin1').digest('base64');
  const signatures = fields
    .filter(({ name }) => name === 'dkim-signature')
    .slice(0, SIGNATURES)
    .map((field) => ({ field, tags: tagsOf(field.value) }));
  return keys.map((key) => {
    const own = signatures.find(
      ({ tags }) => tags.get('d') === key.domain && tags.get('s') === key.selector && tags.get('a') === key.algorithm,
    );
    if (!own) return { selector: key.selector, fate: 'missing', covers: new Set() };
    const names = (own.tags.get('h') ?? '').toLowerCase().split(':');
    const isSigned = verifies(key, signedText(fields, names, own.field), own.tags.get('b') ?? '');
    const fate = own.tags.get('bh') !== bodyHash ? 'body' : isSigned ? 'good' : 'header';
    return { selector: key.selector, fate, covers: new Set(names) };
  });
}

/** The tags of a signature, without white space in their values. */
function tagsOf(value: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of value.split(';')) {
    const at = tag.indexOf('=');
    if (at > 0) tags.set(tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s+/g, ''));
  }
  return tags;
}

/** Each name takes the lowest field that none took before; one that there is not adds nothing (RFC 6376 5.4.2). */
function signedText(fields: readonly Field[], names: readonly string[], signature: Field): string {
  const left = new Map<string, Field[]>();
  for (const field of fields) {
    const before = left.get(field.name);
    if (before) before.push(field);
    else left.set(field.name, [field]);
  }
  let signed = '';
  for (const name of names) {
    const field = left.get(name)?.pop();
    if (field) signed += `${field.name}:${field.value}\r\n`;
  }
  return `${signed}dkim-signature:${signature.value.replace(/(^|;)(\s*b\s*=)[^;]*/, '$1$2')}`;
}

function verifies({ key, algorithm }: PreparedDkim, text: string, signature: string): boolean {
  const input = Buffer.from(text, 'latin1');
  const given = Buffer.from(signature, 'base64');
  const open = createPublicKey(key);
  return algorithm === 'rsa-sha256'
    ? verify('sha256', input, open, given)
    : verify(null, createHash('sha256').update(input).digest(), open, given);
}
