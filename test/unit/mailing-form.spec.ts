import fc from 'fast-check';
import { ValidationError } from '../../src/domain/errors';
import { addressesIn } from '../../src/web/mailing-form';

test('addresses are found in what people paste, each once', () => {
  expect(addressesIn('Anna <anna@example.com>; "b@example.com", ANNA@example.com\n\nnone @ nobody@ c@x')).toEqual([
    'anna@example.com',
    'b@example.com',
    'c@x',
  ]);
});

test('so many are taken, and no more; those that stand twice count', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `a${i % 100}@example.com`).join(' ');
  expect(addressesIn(many(5_000))).toHaveLength(100);
  expect(() => addressesIn(many(5_001))).toThrow(ValidationError);
});

test('words are what stands between separators, wherever these are', () => {
  const pasted = fc.array(fc.constantFrom('a', 'b', '@', '@', ' ', ',', '<', '\n'), { maxLength: 40 });
  fc.assert(
    fc.property(pasted, (letters) => {
      const words = letters.join('').split(/[\s,<]+/);
      const wanted = new Set(words.filter((word) => /[^@]@[^@]/.test(word)));
      expect(new Set(addressesIn(letters.join('')))).toEqual(wanted);
    }),
  );
});
