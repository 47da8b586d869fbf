import fc from 'fast-check';
import { queueSize } from '../../src/domain/queue-window';

const limits = { queueWindow: 20_000, rateLimitPerSecond: 0, workerConcurrency: 100 };

describe('how many jobs the queue may hold', () => {
  test.each([
    ['at the start, when no speed is known', {}, 0, 1_000],
    ['enough for all that workers do at once', { workerConcurrency: 500 }, 0, 2_000],
    ['ten seconds of work', {}, 300, 3_000],
    ['never more than the window', {}, 5_000, 20_000],
    ['not even at the start', { queueWindow: 50 }, 0, 50],
    ['ten seconds of the limit, however fast it was before', { rateLimitPerSecond: 50 }, 5_000, 500],
    ['… or slow', { rateLimitPerSecond: 50 }, 0, 500],
    ['of a small limit a few', { rateLimitPerSecond: 0.1 }, 0, 5],
    ['of a large one the window', { rateLimitPerSecond: 10_000 }, 0, 20_000],
  ])('%s', (_what, changed, speed, size) => {
    expect(queueSize({ ...limits, ...changed }, speed)).toBe(size);
  });

  test('at least one, at most the window, and whole: Redis takes no half jobs', () => {
    const any = fc.record({
      queueWindow: fc.integer({ min: 1, max: 100_000 }),
      rateLimitPerSecond: fc.double({ min: 0, max: 100_000, noNaN: true }),
      workerConcurrency: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(any, fc.double({ min: 0, max: 1e6, noNaN: true }), (some, speed) => {
        const size = queueSize(some, speed);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(some.queueWindow);
        expect(size % 1).toBe(0);
      }),
    );
  });
});
