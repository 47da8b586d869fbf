import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { addressHash, type AddressToken, readToken, tokenWriter } from '../../src/domain/address-token';

const keys = [1, 2].map((id) => ({ id, secret: Buffer.alloc(32, id) }));
const [key, other] = [keys[0]!, keys[1]!];
const pepper = Buffer.alloc(32, 9);
const id = fc.oneof(fc.nat(), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const tokens = fc.record({
  kind: fc.constantFrom<AddressToken['kind']>('unsubscribe', 'test'),
  ownerId: id,
  mailingId: id,
  deliveryId: id,
  addressHash: fc.emailAddress().map((email) => addressHash(pepper, email.toLowerCase())),
});
const write = (token: AddressToken, signer = key) => tokenWriter(signer, token)(token.deliveryId, token.addressHash);

it('says what was put in, by the key that it names', () => {
  fc.assert(
    fc.property(tokens, fc.constantFrom(...keys), (token, signer) => {
      const text = write(token, signer);
      expect(readToken(keys, text)).toEqual(token);
      expect(
        readToken(
          keys.filter((k) => k !== signer),
          text,
        ),
      ).toBeNull();
    }),
  );
});

it('ends in the first 80 bits of an HMAC-SHA256 of the rest', () => {
  fc.assert(
    fc.property(tokens, fc.uint8Array({ minLength: 32, maxLength: 32 }), (token, secret) => {
      const signer = { id: 1, secret: Buffer.from(secret) };
      const bytes = Buffer.from(write(token, signer), 'base64url');
      const mac = createHmac('sha256', signer.secret).update(bytes.subarray(0, -10)).digest();
      expect(bytes.subarray(-10)).toEqual(mac.subarray(0, 10));
    }),
  );
});

it('is short, and fits into a URL as it is', () => {
  const hash = addressHash(pepper, 'ann@example.org');
  const text = write({ kind: 'unsubscribe', ownerId: 12, mailingId: 3_400, deliveryId: 12_345_678, addressHash: hash });
  expect(text).toMatch(/^[\w-]{46,50}$/);
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('ann');
});

it('no other text is one: changed, cut, doubled, padded, or signed by somebody else', () => {
  fc.assert(
    fc.property(tokens, fc.nat(), fc.integer({ min: 0, max: 7 }), (token, at, bit) => {
      const text = write(token);
      const bytes = Buffer.from(text, 'base64url');
      bytes[at % bytes.length]! ^= 1 << bit;
      const forged = { id: key.id, secret: other.secret };
      for (const bad of [
        bytes.toString('base64url'),
        text.slice(0, -1),
        text.slice(1),
        text + text,
        `${text}=`,
        `${text}A`,
        text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A'),
        write(token, forged),
      ])
        expect(readToken(keys, bad)).toBeNull();
    }),
  );
});

it('reads nothing out of anything else, of any length', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => readToken(keys, text) === null));
  expect(readToken(keys, '')).toBeNull();
  expect(readToken(keys, 'A'.repeat(1_000_000))).toBeNull();
  expect(
    readToken([], write({ kind: 'test', ownerId: 1, mailingId: 1, deliveryId: 1, addressHash: Buffer.alloc(16) })),
  ).toBeNull();
});
