import fc from 'fast-check';
import {
  parseReturnAddress,
  readReturnToken,
  returnAddress,
  returnTokenWriter,
  tokenTextOf,
  tokenTextsIn,
} from '../../src/domain/bounce-address';
import { cases } from '../support/cases';

const KEYS = [
  { id: 2, secret: Buffer.alloc(32, 7) },
  { id: 1, secret: Buffer.alloc(32, 9) },
];
const ids = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('return tokens', () => {
  it('say kind and delivery, in few characters that survive a change of case', () => {
    fc.assert(
      fc.property(ids, fc.constantFrom(...KEYS), (deliveryId, key) => {
        const tokens = returnTokenWriter(key)(deliveryId);
        for (const kind of ['bounce', 'unsubscribe'] as const) {
          expect(tokens[kind]).toMatch(/^[a-z2-7]{1,32}$/);
          expect(readReturnToken(KEYS, tokens[kind].toUpperCase())).toEqual({ kind, deliveryId });
        }
      }),
      { numRuns: cases(500, 50) },
    );
  });

  it('are not those of another key, and not with one character changed, cut or doubled', () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), (deliveryId, at, digit) => {
        const { bounce } = returnTokenWriter(KEYS[0]!)(deliveryId);
        const place = at % bounce.length;
        const changed = bounce.slice(0, place) + digit + bounce.slice(place + 1);
        if (changed !== bounce) expect(readReturnToken(KEYS, changed)).toBeNull();
        expect(readReturnToken(KEYS, bounce.slice(1))).toBeNull();
        expect(readReturnToken(KEYS, bounce.slice(0, -1))).toBeNull();
        expect(readReturnToken(KEYS, bounce + bounce)).toBeNull();
        expect(readReturnToken([KEYS[1]!], bounce)).toBeNull();
      }),
      { numRuns: cases(500, 50) },
    );
  });

  it('of one writer do not run into each other', () => {
    const write = returnTokenWriter(KEYS[0]!);
    const all = [1, 255, 256, 70_000, 2 ** 40, 3].map((id) => ({ id, tokens: write(id) }));
    for (const { id, tokens } of all)
      expect(readReturnToken(KEYS, tokens.bounce)).toEqual({ kind: 'bounce', deliveryId: id });
  });

  it('whatever is read, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect(readReturnToken(KEYS, text)).toBeNull();
        tokenTextsIn(text);
      }),
    );
  });
});

describe('the address', () => {
  it.each([
    ['bounces@news.example.org', 'bounces+T@news.example.org'],
    ['*@b.Example.org', 'T@b.example.org'],
  ])('%s', (setting, address) => {
    const parsed = parseReturnAddress(setting)!;
    expect(returnAddress(parsed, 'T')).toBe(address);
    expect(tokenTextOf(`<${address}>`, parsed)).toBe('T');
    expect(tokenTextOf(`u+T@${parsed.domain.toUpperCase()}`, parsed)).toBe('T');
    expect(tokenTextOf('bounces+T@elsewhere.example', parsed)).toBe('');
  });

  it.each(['', 'bounces', 'a b@example.org', 'x+y@example.org', 'a@b', `${'a'.repeat(40)}@example.org`])(
    'is not %j',
    (text) => expect(parseReturnAddress(text)).toBeNull(),
  );

  it('is found in the text of a letter', () => {
    const { bounce } = returnTokenWriter(KEYS[0]!)(123_456);
    expect(tokenTextsIn(`Return-Path: <bounces+${bounce}@news.example.org>`)).toEqual([bounce]);
    expect(tokenTextsIn(`To: ${bounce}@b.example.org`)).toEqual([bounce]);
  });
});
