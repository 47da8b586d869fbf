import fc from 'fast-check';
import { breakerDelayMs, nextDelayMs } from '../../src/domain/retry-policy';

const delaysMs = [5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * 60_000);

describe('nextDelayMs', () => {
  test.each([
    [1, 0.5, 300_000],
    [1, 0, 240_000],
    [2, 0.5, 900_000],
    [7, 0.5, 28_800_000],
    [8, 0.5, null],
    [9, 0.5, null],
  ])('after try %d with %d', (tries, random01, expected) =>
    expect(nextDelayMs({ tries, delaysMs, random01 })).toBe(expected),
  );

  test('without delays the first failure is the last', () =>
    expect(nextDelayMs({ tries: 1, delaysMs: [], random01: 0 })).toBeNull());

  test('stays within 20 % of the policy', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), random, (tries, random01) => {
        const base = delaysMs[tries - 1] ?? NaN;
        const delay = nextDelayMs({ tries, delaysMs, random01 }) ?? NaN;
        expect(delay).toBeGreaterThanOrEqual(base * 0.8);
        expect(delay).toBeLessThanOrEqual(base * 1.2);
      }),
    );
  });
});

test.each([
  [0, [5, 15, 60], 5],
  [2, [5, 15, 60], 60],
  [9, [5, 15, 60], 60],
  [-1, [5, 15, 60], 5],
  [0, [], 0],
])('breakerDelayMs(%d, %j)', (step, delays, expected) => expect(breakerDelayMs(step, delays)).toBe(expected));
