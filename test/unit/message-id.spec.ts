import { letterIdentity } from '../../src/domain/message-id';

describe('letterIdentity', () => {
  const key = { runId: 7, deliveryId: 12345 };

  it('is the same on every try', () => {
    expect(letterIdentity(key, 'secret', 'example.org')).toEqual(letterIdentity({ ...key }, 'secret', 'example.org'));
  });

  it('is a msg-id and a boundary that tell nothing, not even of each other', () => {
    const { messageId, boundary } = letterIdentity(key, 'secret', 'example.org');
    expect(messageId).toMatch(/^<[0-9a-f]{32}@example\.org>$/);
    expect(boundary).toMatch(/^=_[0-9a-f]{32}$/);
    expect(boundary).not.toContain(messageId.slice(1, 33));
  });

  it('differs between deliveries, runs and secrets', () => {
    const all = [1, 2, 11, 12, 111].flatMap((runId) =>
      [1, 2, 11, 12, 111].flatMap((deliveryId) =>
        ['a', 'b'].map((secret) => letterIdentity({ runId, deliveryId }, secret, 'example.org')),
      ),
    );
    expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(50);
    expect(new Set(all.map(({ boundary }) => boundary)).size).toBe(50);
  });
});
