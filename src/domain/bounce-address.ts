import { timingSafeEqual } from 'node:crypto';
import type { LinkKey } from './address-token';
import { hmacWriter } from './hmac';

/**
 * What a letter of ours comes back to: `bounce` is its envelope sender (VERP), `unsubscribe` the address that its
 * List-Unsubscribe names for mail programs.
 */
export type ReturnKind = 'bounce' | 'unsubscribe';

/** What such an address says: which letter it was given to, or which proof letter is sent to it. */
export type ReturnToken = { kind: ReturnKind; deliveryId: number } | { kind: 'proof'; proofId: number };

/** Where letters come back to, as it is set: `user` null: any address at the domain. */
export interface ReturnAddress {
  user: string | null;
  domain: string;
}

const KINDS = ['bounce', 'unsubscribe'] as const;
const PROOF = KINDS.length;
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';
/** Key and kind, eight bytes of number at the most, MAC. */
const MAC_BYTES = 9;
const MAX_BYTES = 2 + 7 + MAC_BYTES;
const MAX_LENGTH = 30;
const MIN_LENGTH = Math.ceil(((2 + 1 + MAC_BYTES) * 8) / 5);

/** `bounces@example.org`, or `*@b.example.org`; null for anything else. */
export function parseReturnAddress(text: string): ReturnAddress | null {
  const [, user = '', domain = ''] =
    /^(\*|[\w.-]{1,30})@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)$/i.exec(text.trim()) ?? [];
  if (domain === '') return null;
  return { user: user === '*' ? null : user, domain: domain.toLowerCase() };
}

/** The address with a token in it: `bounces+TOKEN@example.org`, or `TOKEN@b.example.org`. */
export const returnAddress = ({ user, domain }: ReturnAddress, token: string): string =>
  user === null ? `${token}@${domain}` : `${user}+${token}@${domain}`;

/** The tokens of one letter. */
export interface ReturnTokens {
  bounce: string;
  unsubscribe: string;
}

/**
 * The function that writes a letter's tokens: base32 (RFC 4648 6) in lower case, because servers on the way may change
 * the case of an address; at most 30 characters. One HMAC-SHA256 (RFC 2104) of key and delivery signs both: the first
 * 72 bits of it the one, the next 72 the other (and 72 more that of a proof letter). Every letter needs it, so it works in one piece of memory.
 */
export function returnTokenWriter(key: LinkKey): (deliveryId: number) => ReturnTokens {
  const mac = hmacWriter(key.secret, MAX_BYTES);
  const bytes = Buffer.alloc(MAX_BYTES);
  bytes[0] = key.id;
  return (deliveryId) => {
    bytes[1] = 0;
    const end = writeNumber(bytes, deliveryId);
    const digest = mac(bytes.subarray(0, end));
    const [bounce = '', unsubscribe = ''] = KINDS.map((_, kind) => {
      bytes[1] = kind;
      digest.copy(bytes, end, kind * MAC_BYTES, (kind + 1) * MAC_BYTES);
      return base32(bytes, end + MAC_BYTES);
    });
    return { bounce, unsubscribe };
  };
}

/** The token of the address of a proof letter, as `returnTokenWriter` writes those of others. */
export function proofToken(key: LinkKey, proofId: number): string {
  const bytes = Buffer.alloc(MAX_BYTES);
  bytes[0] = key.id;
  const end = writeNumber(bytes, proofId);
  const digest = hmacWriter(key.secret, MAX_BYTES)(bytes.subarray(0, end));
  bytes[1] = PROOF;
  digest.copy(bytes, end, PROOF * MAC_BYTES, (PROOF + 1) * MAC_BYTES);
  return base32(bytes, end + MAC_BYTES);
}

/** @returns null for anything that none of these keys has signed */
export function readReturnToken(keys: readonly LinkKey[], text: string): ReturnToken | null {
  const bytes = fromBase32(text.toLowerCase());
  if (!bytes || bytes.length < 2 + 1 + MAC_BYTES || bytes.length > MAX_BYTES) return null;
  const signed = Buffer.from(bytes.subarray(0, -MAC_BYTES));
  const kind = signed[1] ?? 0;
  signed[1] = 0;
  const key = keys.find(({ id }) => id === bytes[0]);
  const digest = hmacWriter(key?.secret ?? Buffer.alloc(32), MAX_BYTES)(signed);
  const at = (kind <= PROOF ? kind : 0) * MAC_BYTES;
  const mac = digest.subarray(at, at + MAC_BYTES);
  if (!timingSafeEqual(mac, bytes.subarray(-MAC_BYTES)) || !key) return null;
  const named = KINDS[kind];
  const id = signed.subarray(2).reduce((n, byte) => n * 256 + byte, 0);
  if (!Number.isSafeInteger(id)) return null;
  if (kind === PROOF) return { kind: 'proof', proofId: id };
  return named === undefined ? null : { kind: named, deliveryId: id };
}

/** The number of the key that a token names, not verified; undefined if it names none. */
export const returnKeyIdOf = (text: string): number | undefined => fromBase32(text.toLowerCase())?.[0];

/** What may be a token in an address of ours, whatever stands before it; '' if nothing. */
export function tokenTextOf(address: string, { domain }: ReturnAddress): string {
  const [, local = '', host = ''] = /^<?([^@\s<>]{1,200})@([^@\s<>]{1,255})>?$/.exec(address.trim()) ?? [];
  if (host.toLowerCase() !== domain) return '';
  return local.slice(local.indexOf('+') + 1);
}

/** The texts between a `+`, `<` or `:` and an `@` that may be tokens, of the beginning of a letter. */
export const tokenTextsIn = (text: string): string[] =>
  [...text.matchAll(IN_TEXT)].slice(0, 20).map(([, token = '']) => token);
const IN_TEXT = new RegExp(`(?<![\\w.-])(?:[\\w.-]{1,30}\\+)?([a-z2-7]{${MIN_LENGTH},${MAX_LENGTH}})(?=@)`, 'gi');

/** Big-endian, without leading zeros. @returns where it ends */
function writeNumber(bytes: Buffer, n: number): number {
  let width = 1;
  for (let rest = Math.floor(n / 256); rest > 0; rest = Math.floor(rest / 256)) width++;
  let rest = n;
  for (let at = 2 + width - 1; at >= 2; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return 2 + width;
}

function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (let at = 0; at < length; at++) {
    value = ((value << 8) | bytes[at]!) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += DIGITS[(value >>> bits) & 31]!;
    }
  }
  return bits > 0 ? text + DIGITS[(value << (5 - bits)) & 31]! : text;
}

function fromBase32(text: string): Buffer | null {
  if (text.length > MAX_LENGTH || !/^[a-z2-7]+$/.test(text)) return null;
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const digit of text) {
    value = (value << 5) | DIGITS.indexOf(digit);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(value >>> bits);
    value &= (1 << bits) - 1;
  }
  // Only the spelling that is written: no bits to spare that are set.
  return value === 0 && bits < 5 ? Buffer.from(bytes) : null;
}
