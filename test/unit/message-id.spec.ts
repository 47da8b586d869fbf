import { messageId, mimeBoundary } from '../../src/domain/message-id';

describe('messageId', () => {
  const key = { runId: 7, deliveryId: 12345 };

  it('is the same on every try', () => {
    expect(messageId(key, 'secret', 'example.org')).toBe(messageId({ ...key }, 'secret', 'example.org'));
    expect(mimeBoundary(key, 'secret')).toBe(mimeBoundary({ ...key }, 'secret'));
  });

  it('is a msg-id and a boundary that tell nothing', () => {
    expect(messageId(key, 'secret', 'example.org')).toMatch(/^<[0-9a-f]{32}@example\.org>$/);
    expect(mimeBoundary(key, 'secret')).toMatch(/^=_[0-9a-f]{32}$/);
    expect(mimeBoundary(key, 'secret')).not.toContain(messageId(key, 'secret', 'x.org').slice(1, 33));
  });

  it('differs between deliveries, runs and secrets', () => {
    const ids = [1, 2, 11, 12, 111].flatMap((runId) =>
      [1, 2, 11, 12, 111].flatMap((deliveryId) =>
        ['a', 'b'].map((secret) => messageId({ runId, deliveryId }, secret, 'example.org')),
      ),
    );
    expect(new Set(ids).size).toBe(50);
  });
});
