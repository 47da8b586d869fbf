import fc from 'fast-check';
import { decodeCursor, encodeCursor } from '../../src/domain/paging';

it('a cursor gives back the key it was made of, in a form that fits a URL', () => {
  const key = fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(key, (parts) => {
      const cursor = encodeCursor(parts);
      expect(cursor).toMatch(/^[\w-]*$/);
      expect(decodeCursor(cursor, parts.length)).toEqual(parts);
      expect(decodeCursor(cursor, parts.length + 1)).toBeNull();
    }),
  );
});

it('anything else is no cursor', () => {
  fc.assert(
    fc.property(fc.string(), (text) => fc.pre(!/^[\w-]+$/.test(text)) ?? expect(decodeCursor(text, 1)).toBeNull()),
  );
  expect(decodeCursor(encodeCursor([1]).slice(1), 1)).toBeNull();
  expect(decodeCursor(Buffer.from('[{"a":1}]').toString('base64url'), 1)).toBeNull();
});
