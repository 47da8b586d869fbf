import { hash } from 'node:crypto';

/** The block and the digest of SHA-256, in bytes. */
const BLOCK = 64;
const DIGEST = 32;

/**
 * The function that computes HMAC-SHA256 (RFC 2104) by this key. Every letter needs several, so it calls the two hashes
 * in one go each, in memory of its own: Node's Hmac objects take six times as long.
 * @param key at most 64 bytes
 * @param max how long what is signed may be, in bytes
 */
export function hmacWriter(key: Uint8Array, max: number): (signed: Uint8Array) => Buffer {
  const padded = Buffer.concat([key], BLOCK);
  const pad = (byte: number) => padded.map((each) => each ^ byte);
  const inner = Buffer.concat([pad(0x36)], BLOCK + max);
  const outer = Buffer.concat([pad(0x5c)], BLOCK + DIGEST);
  return (signed) => {
    inner.set(signed, BLOCK);
    hash('sha256', inner.subarray(0, BLOCK + signed.length), 'buffer').copy(outer, BLOCK);
    return hash('sha256', outer, 'buffer');
  };
}
