import { hash, timingSafeEqual } from 'node:crypto';
import { hmacWriter } from './hmac';

/**
 * What a link in a letter says: it can only take this one address off this owner's list, and back onto it. It holds no
 * address, and all that is needed to act on it, so that it works when client, mailing and ledger are gone.
 */
export interface AddressToken {
  /** `test`: of a test letter; it leads to a page that says so, and changes nothing. */
  kind: 'unsubscribe' | 'test';
  ownerId: number;
  mailingId: number;
  deliveryId: number;
  /** `addressHash` of the recipient. */
  addressHash: Buffer;
}

/** A key that signs tokens, by the number that they name. */
export interface LinkKey {
  id: number;
  secret: Buffer;
}

const KINDS = ['unsubscribe', 'test'] as const;
const HASH_BYTES = 16;
const MAC_BYTES = 10;
/** Key, kind, three numbers of 1 to 8 bytes, hash, MAC. */
const BYTES = { min: 2 + 3 + HASH_BYTES + MAC_BYTES, max: 2 + 24 + HASH_BYTES + MAC_BYTES };
const TEXT = /^[\w-]+$/;

/** 128 bits that stand for the address `key` (see `emailKey`); the SQL function `address_hash` gives the same. */
export const addressHash = (pepper: Buffer, key: string): Buffer =>
  hash('sha256', Buffer.concat([pepper, Buffer.from(key)]), 'buffer').subarray(0, HASH_BYTES);

/**
 * The function that writes the tokens of one mailing's letters, as they stand in URLs: base64url (RFC 4648 5), about 48
 * characters. The last bytes are the first 80 bits of an HMAC-SHA256 (RFC 2104) of all others. Every letter has one, so
 * it works in one piece of memory.
 */
export function tokenWriter(
  key: LinkKey,
  { kind, ownerId, mailingId }: Pick<AddressToken, 'kind' | 'ownerId' | 'mailingId'>,
): (deliveryId: number, addressHash: Buffer) => string {
  const mac = hmacWriter(key.secret, BYTES.max);
  const head = Buffer.from([key.id, KINDS.indexOf(kind), ...varint(ownerId), ...varint(mailingId)]);
  const bytes = Buffer.concat([head], BYTES.max);
  return (deliveryId, addressHash) => {
    const at = writeVarint(bytes, deliveryId, head.length);
    const end = at + addressHash.copy(bytes, at);
    mac(bytes.subarray(0, end)).copy(bytes, end, 0, MAC_BYTES);
    return bytes.toString('base64url', 0, end + MAC_BYTES);
  };
}

/** Where a token leads: the page on which its recipient unsubscribes. */
export const unsubscribeUrl = (publicUrl: string, token: string): string =>
  `${publicUrl.replace(/\/+$/, '')}/u/${token}`;

/** @returns null for anything that none of these keys has signed */
export function readToken(keys: readonly LinkKey[], text: string): AddressToken | null {
  if (!TEXT.test(text) || text.length > (BYTES.max * 4) / 3 + 1) return null;
  const bytes = Buffer.from(text, 'base64url');
  // Base64url can spell the same bytes in several ways; only the one that we write is accepted.
  if (bytes.length < BYTES.min || bytes.length > BYTES.max || bytes.toString('base64url') !== text) return null;
  const signed = bytes.subarray(0, -MAC_BYTES);
  const key = keys.find(({ id }) => id === bytes[0]);
  const mac = hmacWriter(key?.secret ?? Buffer.alloc(32), BYTES.max)(signed).subarray(0, MAC_BYTES);
  if (!timingSafeEqual(mac, bytes.subarray(-MAC_BYTES)) || !key) return null;
  const kind = KINDS[bytes[1] ?? -1];
  const numbers = readVarints(signed.subarray(2, -HASH_BYTES));
  if (kind === undefined || numbers?.length !== 3) return null;
  const [ownerId = 0, mailingId = 0, deliveryId = 0] = numbers;
  return { kind, ownerId, mailingId, deliveryId, addressHash: signed.subarray(-HASH_BYTES) };
}

/** The number of the key that a token names, not verified; undefined if it names none. */
export const keyIdOf = (text: string): number | undefined => Buffer.from(text.slice(0, 4), 'base64url')[0];

/** Seven bits a byte, the lowest first; the eighth bit is set if more bytes follow. */
function varint(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  return bytes.subarray(0, writeVarint(bytes, n, 0));
}

/** @returns where it ends */
function writeVarint(bytes: Buffer, n: number, from: number): number {
  let at = from;
  let rest = n;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) + 0x80;
  bytes[at++] = rest;
  return at;
}

function readVarints(bytes: Buffer): number[] | null {
  const numbers: number[] = [];
  let value = 0;
  let unit = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (!Number.isSafeInteger(value)) return null;
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
    unit = 1;
  }
  return unit === 1 ? numbers : null;
}
