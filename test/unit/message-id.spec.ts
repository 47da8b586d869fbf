import { boundaryOf, letterDigest, type LetterKey, messageIdOf } from '../../src/domain/message-id';

const SECRET = 'secret';
const KEYS = ['9a7b330a-a736-4f21-8d5c-8b0ae8d2d8b1', '2c0de7b4-0a44-4c9d-93a3-5f5d8f3c1a77'];
const key: LetterKey = { runKey: KEYS[0] ?? null, runId: 7, clientId: 12, deliveryId: 12345 };
const idOf = (k: LetterKey, secret = SECRET) => messageIdOf(letterDigest(k, secret), 'example.org');

describe('the identity of a letter', () => {
  it('is a msg-id and a boundary that tell nothing, not even of each other', () => {
    const boundary = boundaryOf(letterDigest(key, SECRET));
    expect(idOf(key)).toMatch(/^<[0-9a-f]{32}@example\.org>$/);
    expect(boundary).toMatch(/^=_[0-9a-f]{32}$/);
    expect(boundary).not.toContain(idOf(key).slice(1, 33));
  });

  it("is a function of the run's random and the client, whatever the ids of run and delivery", () => {
    expect(idOf({ ...key })).toBe(idOf(key));
    expect(idOf({ ...key, runId: 8, deliveryId: 1 })).toBe(idOf(key));
    expect(idOf({ ...key, clientId: 13 })).not.toBe(idOf(key));
  });

  it('is unlike that of another database with the same ids and the same secret', () => {
    const all = KEYS.flatMap((runKey) => [1, 11, 12, 111].map((clientId) => idOf({ ...key, runKey, clientId })));
    expect(new Set(all).size).toBe(8);
  });

  it('is what it was for runs without a random: a letter that is tried again after an update stays the same', () => {
    const old = { ...key, runKey: null };
    // HMAC-SHA256 of "7:12345" with the key "secret".
    expect(idOf(old)).toBe('<572607510d6f61a41f3f06de89a45871@example.org>');
    expect(idOf({ ...old, clientId: 99 })).toBe(idOf(old));
    const all = [1, 2, 11].flatMap((runId) =>
      [1, 11, 111].flatMap((deliveryId) => ['a', 'b'].map((secret) => idOf({ ...old, runId, deliveryId }, secret))),
    );
    expect(new Set(all).size).toBe(18);
  });
});
