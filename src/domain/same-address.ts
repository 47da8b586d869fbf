import { domainToASCII } from 'node:url';

/**
 * An address as reports write it, in the form in which it is compared: without brackets and quotes, lower case, the
 * domain in A-labels (RFC 5890). '' for what has no `@`.
 */
export function addressForm(text: string): string {
  const bare = text
    .slice(0, 500)
    .trim()
    .replace(/^<|>$/g, '')
    .replace(/^(?:smtp|mailto):/i, '');
  const at = bare.lastIndexOf('@');
  if (at < 1) return '';
  const local = bare.slice(0, at).replace(/^"(.*)"$/, '$1');
  const domain = bare.slice(at + 1).replace(/\.$/, '');
  const isPlain = /^[\w.-]+$/.test(domain);
  const ascii = isPlain || /[^\p{L}\p{N}\p{M}.-]/u.test(domain) ? domain : domainToASCII(domain);
  return `${local}@${ascii || domain}`.toLowerCase();
}

/** Whether two addresses are the same, however a report spells them. */
export const sameAddress = (one: string, other: string): boolean => {
  const form = addressForm(one);
  return form !== '' && form === addressForm(other);
};
