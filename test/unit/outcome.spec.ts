import fc from 'fast-check';
import { foldCounts, isCutOff, moveCounts, outcomeKind } from '../../src/domain/outcome';
import { type DeliveryCounts, deliveryStatuses, runStatuses } from '../../src/domain/states';

const NONE = Object.fromEntries(deliveryStatuses.map((status) => [status, 0])) as DeliveryCounts;
const countsOf = (given: Partial<DeliveryCounts>): DeliveryCounts => {
  const counts = { ...NONE, ...given };
  return { ...counts, total: deliveryStatuses.reduce((sum, status) => sum + counts[status], 0) };
};
const sum = (counts: DeliveryCounts) => deliveryStatuses.reduce((all, status) => all + counts[status], 0);
const anyCounts = fc
  .record(Object.fromEntries(deliveryStatuses.map((status) => [status, fc.nat(50)])))
  .map((given) => countsOf(given as Partial<DeliveryCounts>));
const anyMoves = fc.array(
  fc.record({ was: fc.constantFrom(...deliveryStatuses), is: fc.constantFrom(...deliveryStatuses), n: fc.nat(60) }),
);

test('one who failed and has it by a later run has it', () => {
  const first = countsOf({ sent: 39, failed: 1 });
  const all = countsOf({ sent: 40 });
  expect(moveCounts(first, [{ was: 'failed', is: 'sent', n: 1 }])).toEqual(all);
  expect(foldCounts(first, [countsOf({ sent: 1 })])).toEqual(all);
});

test('those who fail again are counted once', () => {
  const first = countsOf({ sent: 5, failed: 4, unknown: 1 });
  const people = foldCounts(first, [countsOf({ sent: 2, failed: 2, skipped: 1 }), countsOf({ sent: 1, failed: 1 })]);
  expect(people).toEqual(countsOf({ sent: 8, failed: 1, skipped: 1 }));
});

test('as many people as at first, whatever became of them', () => {
  fc.assert(
    fc.property(anyCounts, anyMoves, fc.array(anyCounts, { maxLength: 4 }), (first, moves, resends) => {
      for (const people of [moveCounts(first, moves), foldCounts(first, resends)]) {
        expect(sum(people)).toBe(first.total);
        expect(people.total).toBe(first.total);
        for (const status of deliveryStatuses) expect(people[status]).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('counters alone say the same as looking at each, where each run goes to the failed of the one before', () => {
  const split = fc.record({ first: anyCounts, share: fc.nat(100) });
  fc.assert(
    fc.property(split, ({ first, share }) => {
      const sent = Math.floor((first.failed * share) / 100);
      const resend = countsOf({ sent, failed: first.failed - sent, unknown: first.unknown });
      const moves = [{ was: 'failed', is: 'sent', n: sent } as const];
      expect(foldCounts(first, [resend])).toEqual(moveCounts(first, moves));
    }),
  );
});

test.each(runStatuses)('a run that is %s is said in one way', (status) => {
  const live = status === 'planning' || status === 'sending';
  expect(outcomeKind(status, true)).toBe(live ? 'onHold' : 'over');
  expect(outcomeKind(status, false)).toBe({ planning: 'preparing', sending: 'going' }[status as string] ?? 'over');
  expect(isCutOff(status, countsOf({ sent: 1, cancelled: 1 }))).toBe(!live);
  expect(isCutOff(status, countsOf({ sent: 1 }))).toBe(status === 'cancelled');
});
